//! A Julia set, row by row on two workers, as `examples/parallel.rs` computes it.

use futures::stream::TryStreamExt as _;
use wasm_mt::{Error, ExecutorExt, Pool, RemoteFn, Strategy, Thread, Transfer, remote};
use wasm_mt_benches::Turns;

use crate::room;
use crate::turns::Comparison;

/// Width and height of the picture, in pixels.
const SIZE: u32 = 800;
/// The set is that of z -> z * z + C.
const C: (f64, f64) = (-0.8, 0.156);

pub(crate) async fn measure(turns: &Turns) -> Result<(), Error> {
    let thread = Thread::new();
    let pool = Pool::builder().strategy(Strategy::WorkStealing).threads(2).build();
    thread.ready().await?;
    pool.ready().await?;

    let alone = async || {
        let start = room::now();
        let picture = thread.spawn_remote(remote!(|| Transfer(picture()))).await?;
        Ok::<_, Error>((room::now() - start, picture.0))
    };
    let shared = async || {
        let task: RemoteFn<u32, Transfer<Vec<u8>>> = remote!(|y| Transfer(row(y)));
        let start = room::now();
        let rows: Vec<Transfer<Vec<u8>>> = pool.par_map(0..SIZE, task).try_collect().await?;
        let picture: Vec<u8> = rows.into_iter().flat_map(|row| row.0).collect();
        Ok::<_, Error>((room::now() - start, picture))
    };

    let mut times = Vec::new();
    for round in 0..=turns.rounds(9) {
        let (alone, expected) = alone().await?;
        let (shared, picture) = shared().await?;
        assert!(picture == expected, "both ways give the same picture");
        // The first round warms up.
        if round > 0 {
            times.push((shared, alone));
        }
    }
    let comparison =
        Comparison { name: "Julia set of 800 rows on 2 workers", beside: "1 worker, in one task", aim: None };
    comparison.tell(1, &times);
    Ok(())
}

fn picture() -> Vec<u8> {
    (0..SIZE).flat_map(row).collect()
}

/// Red, green, blue and alpha of each pixel of a row.
///
/// A function of its own, see `compute` in `cpu.rs`.
#[inline(never)]
fn row(y: u32) -> Vec<u8> {
    (0..SIZE).flat_map(|x| pixel(x, y)).collect()
}

/// The colour of a pixel: the mean of four points in it.
fn pixel(x: u32, y: u32) -> [u8; 4] {
    let points = [(0.25, 0.25), (0.75, 0.25), (0.25, 0.75), (0.75, 0.75)];
    let colours = points.map(|(right, down)| colour(f64::from(x) + right, f64::from(y) + down));
    let mean = |channel: usize| (colours.iter().map(|colour| colour[channel]).sum::<u32>() / 4) as u8;
    [mean(0), mean(1), mean(2), u8::MAX]
}

/// Red, green and blue of a point: how long z takes to leave.
fn colour(x: f64, y: f64) -> [u32; 3] {
    const LIMIT: u32 = 400;
    let scale = 3.2 / f64::from(SIZE);
    let (mut re, mut im) = (x * scale - 1.6, y * scale - 1.6);
    let mut steps = 0;
    while steps < LIMIT && re * re + im * im < 4.0 {
        (re, im) = (re * re - im * im + C.0, 2.0 * re * im + C.1);
        steps += 1;
    }
    // From black over blue and violet to white.
    let shade = |from: u32, to: u32| (steps.clamp(from, to) - from) * 255 / (to - from);
    [shade(16, 120), shade(60, 300), shade(0, 50)]
}
