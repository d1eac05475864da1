//! One-byte fingerprints mixed from names, by which the reader sees that both sides mean the same field or variant.
//!
//! A fingerprint takes a name's length and three of its bytes. For a name known at compile time that folds into a constant.

/// Mixes the names of a struct's fields, in their order.
#[derive(Clone, Copy, Default)]
pub(super) struct FieldNames(u32);

impl FieldNames {
    #[inline]
    pub(super) fn add(&mut self, name: &str) {
        self.0 = self.0.wrapping_mul(31).wrapping_add(mix(name));
    }

    #[inline]
    pub(super) fn of(names: &[&str]) -> Self {
        let mut fields = FieldNames::default();
        for name in names {
            fields.add(name);
        }
        fields
    }

    #[inline]
    pub(super) fn byte(self) -> u8 {
        fold(self.0)
    }
}

/// The shape of a variant, in the two low bits of its fingerprint: a one-sided skip can change it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Unit = 0,
    Newtype = 1,
    Tuple = 2,
    Struct = 3,
}

const SHAPE: u8 = 0b11;

#[inline]
pub(super) fn variant(name: &str, shape: Shape) -> u8 {
    fold(mix(name)) & !SHAPE | shape as u8
}

/// Whether a fingerprint is of a variant of this name, whatever its shape.
#[inline]
pub(super) fn is_named(fingerprint: u8, name: &str) -> bool {
    (fingerprint ^ fold(mix(name))) & !SHAPE == 0
}

#[inline]
pub(super) fn has_shape(fingerprint: u8, shape: Shape) -> bool {
    fingerprint & SHAPE == shape as u8
}

#[inline]
fn mix(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return 1 };
    let packed = u32::from_le_bytes([first, bytes[bytes.len() / 2], last, bytes.len() as u8]);
    packed.wrapping_mul(0x9E37_79B1) // 2^32 / the golden ratio: every bit reaches the top byte
}

#[inline]
fn fold(mixed: u32) -> u8 {
    (mixed >> 24) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A byte cannot tell all names apart; it should tell nearly all pairs apart, of alike names too.
    #[test]
    fn alike_names_rarely_have_the_same_mark() {
        let letters = ["a", "b", "i", "x", "y"];
        let parts = ["", "id", "min", "max", "left", "right", "name", "value", "start", "0", "1"];
        let names = letters.iter().flat_map(|a| parts.map(|b| [format!("{a}{b}"), format!("{b}_{a}")]));
        let names = names.flatten().collect::<Vec<_>>();
        let (mut pairs, mut alike, mut turned, mut variants) = (0, 0, 0, 0);
        for (i, a) in names.iter().enumerate() {
            for b in &names[i + 1..] {
                pairs += 1;
                alike += usize::from(FieldNames::of(&[a]).byte() == FieldNames::of(&[b]).byte());
                turned += usize::from(FieldNames::of(&[a, b]).byte() == FieldNames::of(&[b, a]).byte());
                variants += usize::from(is_named(variant(a, Shape::Unit), b));
            }
        }
        for (found, ideal) in [(alike, 256), (turned, 256), (variants, 64)] {
            assert!(found * ideal < pairs * 3 / 2, "{found} of {pairs} pairs, ideal is 1 in {ideal}");
        }
    }
}
