//! Numbers as they lie in memory: what many of them are encoded as.

use std::any::{Any, TypeId};

macro_rules! plain {
    ($($number:ty)*) => {
        /// How many bytes a value takes, if it is a number of fixed size; else zero.
        pub(super) fn width<T: 'static>() -> usize {
            $(if TypeId::of::<T>() == TypeId::of::<$number>() {
                return size_of::<$number>();
            })*
            0
        }

        /// Appends a number. False if it is something else.
        #[inline]
        pub(super) fn put<T: 'static>(value: &T, bytes: &mut Vec<u8>) -> bool {
            let value: &dyn Any = value;
            $(if let Some(number) = value.downcast_ref::<$number>() {
                bytes.extend_from_slice(&number.to_ne_bytes());
                return true;
            })*
            false
        }

        /// The number that these bytes are, if they are one of this type.
        #[inline]
        pub(super) fn take<T: 'static>(bytes: &[u8]) -> Option<T> {
            let mut taken = None::<T>;
            let place: &mut dyn Any = &mut taken;
            $(if let Some(place) = place.downcast_mut::<Option<$number>>() {
                *place = Some(<$number>::from_ne_bytes(bytes.try_into().ok()?));
            })*
            taken
        }

        /// The numbers that these bytes are, if they are some of this type.
        pub(super) fn take_all<T: 'static>(bytes: &[u8]) -> Option<Vec<T>> {
            let mut taken = None::<Vec<T>>;
            let place: &mut dyn Any = &mut taken;
            $(if let Some(place) = place.downcast_mut::<Option<Vec<$number>>>() {
                *place = Some(bytemuck::pod_collect_to_vec(bytes));
            })*
            taken
        }
    };
}

plain!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_all_else_is_left_alone() {
        let mut bytes = Vec::new();
        assert!(put(&-2_i16, &mut bytes) && put(&f64::NAN, &mut bytes) && put(&usize::MAX, &mut bytes));
        assert!(!put(&true, &mut bytes) && !put(&(1_u8,), &mut bytes) && !put(&String::new(), &mut bytes));
        assert_eq!(bytes.len(), width::<i16>() + width::<f64>() + width::<usize>());
        assert_eq!(take(&bytes[..2]), Some(-2_i16));
        assert_eq!(take(&bytes[2..10]).map(f64::to_bits), Some(f64::NAN.to_bits()));
        assert_eq!(take(&bytes[10..]), Some(usize::MAX));
        assert_eq!(take::<u32>(&bytes[..2]), None, "it takes more");
        assert_eq!((width::<bool>(), take::<bool>(&[1])), (0, None));
        assert_eq!(
            take_all::<u16>(&[1, 0, 0, 1]),
            Some(vec![u16::from_ne_bytes([1, 0]), u16::from_ne_bytes([0, 1])])
        );
        assert_eq!(take_all::<bool>(&[1]), None);
    }
}
