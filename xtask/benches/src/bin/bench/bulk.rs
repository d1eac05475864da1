//! Bulk data goes to a worker and comes back.

use wasm_mt::{Error, Thread, Transfer, remote};
use wasm_mt_benches::{Aim, Turns};

use crate::room::{self, Floor};
use crate::turns::Comparison;

/// The floor moves as many bytes.
pub(crate) const SIZE: usize = 64 << 20;

pub(crate) async fn measure(turns: &Turns, floor: &mut Floor) -> Result<(), Error> {
    let thread = Thread::new();
    thread.ready().await?;
    // The same block is sent every time, since the memory of a WebAssembly instance never shrinks.
    let mut data = Transfer(vec![1_u8; SIZE]);
    let mut ours = async |count| {
        let start = room::now();
        for _ in 0..count {
            let sent = std::mem::take(&mut data);
            data = thread.spawn_remote(remote!(move || sent)).await?;
        }
        let time = room::now() - start;
        assert_eq!(data.0.len(), SIZE, "all of it comes back");
        Ok(time)
    };
    ours(1).await?;
    floor.bulk(1).await;
    let comparison =
        Comparison { name: "64 MiB there and back", beside: room::BULK, aim: Some(Aim::AtMost(1.3)) };
    comparison.of(1, turns.rounds(9), ours, async |count| floor.bulk(count).await).await?;
    floor.end_of_bulk();
    Ok(())
}
