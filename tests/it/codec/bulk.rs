//! Much data, by `Transfer` and through serde.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;
use wasm_mt::{Remote, RemoteFn, Transfer};

use super::Worker;
use crate::common::on_worker;

const MIB: usize = 1024 * 1024;

/// Bytes of which no stretch is like another.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let step = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(step).take(length).collect()
}

macro_rules! survives_in_each_number {
    ($worker:expr, $($number:ty)*) => {$(
        let numbers = [<$number>::MIN, <$number>::MAX, 0 as $number, 1 as $number, 7 as $number];
        $worker.survives(Transfer(numbers.to_vec())).await;
        $worker.survives(Transfer(Box::<[$number]>::from(numbers))).await;
        $worker.survives(Transfer(Vec::<$number>::new())).await;
    )*};
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Image {
    width: u32,
    pixels: Transfer<Vec<u8>>,
    depth: Option<Transfer<Box<[f32]>>>,
}

remote_test! {
    async fn every_number_is_transferred() {
        let worker = Worker::new();
        survives_in_each_number!(worker, u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64);
    }

    async fn transferred_floats_survive_bit_by_bit() {
        let bits = vec![0x7fc0_1234u32, 0xffc0_0001, 1, 1 << 31];
        let floats = bits.iter().copied().map(f32::from_bits).collect::<Vec<_>>();
        let (there, back) = on_worker(Remote::new(Transfer(floats), |Transfer(floats): Transfer<Vec<f32>>| {
            (floats.iter().map(|f| f.to_bits()).collect::<Vec<_>>(), Transfer(floats))
        })).await.unwrap();
        assert_eq!(there, bits);
        assert_eq!(back.0.iter().map(|f| f.to_bits()).collect::<Vec<_>>(), bits);
    }

    async fn transfers_may_be_anywhere_in_a_value() {
        let worker = Worker::new();
        let image = |n| Image { width: n, pixels: Transfer(vec![n as u8; 3]), depth: (n > 1).then(|| Transfer([0.5].into())) };
        worker.survives(BTreeMap::from([("a".to_owned(), vec![image(1), image(2)]), ("b".to_owned(), vec![])])).await;
        worker.survives((0..300u32).map(|n| Transfer(vec![n])).collect::<Vec<_>>()).await;
        worker.survives(Ok::<_, Transfer<Vec<u8>>>(Transfer(vec![1u16]))).await;
    }

    async fn the_arguments_of_a_reusable_task_are_copied_for_each_call() {
        let table = Transfer(noise(100_000));
        let look_up = RemoteFn::new(table.clone(), |table: Transfer<Vec<u8>>, _| move |i: u32| table.0[i as usize]);
        let worker = Worker::new();
        for i in [0, 1, 99_999] {
            assert_eq!(worker.0.spawn_remote(look_up.call(i)).await.unwrap(), table.0[i as usize]);
        }
    }

    async fn transfers_64_mib_there_and_back() {
        let bytes = noise(64 * MIB);
        let back = on_worker(Remote::new(Transfer(bytes.clone()), |Transfer(mut bytes): Transfer<Vec<u8>>| {
            bytes.reverse();
            Transfer(bytes)
        })).await.unwrap();
        assert!(back.0.iter().rev().eq(&bytes));
    }

    async fn a_vector_of_16_mib_crosses_through_serde() {
        let bytes = noise(16 * MIB);
        let back = on_worker(Remote::new(bytes.clone(), |mut bytes: Vec<u8>| {
            bytes.reverse();
            bytes
        })).await.unwrap();
        assert!(back.iter().rev().eq(&bytes));
    }

    async fn bytes_of_64_mib_cross_through_serde() {
        let bytes = ByteBuf::from(noise(64 * MIB));
        let back = on_worker(Remote::new(bytes.clone(), |bytes: ByteBuf| bytes)).await.unwrap();
        assert!(back == bytes);
    }

    async fn a_text_of_16_mib_crosses() {
        let text = "日本語\0".repeat(16 * MIB / 10);
        let back = on_worker(Remote::new(text.clone(), |text: String| (text.chars().count(), text))).await.unwrap();
        assert!(back == (text.len() / 10 * 4, text));
    }
}
