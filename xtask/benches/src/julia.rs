//! A Julia set, as `examples/parallel.rs` computes it.

/// Width and height of the picture, in pixels.
pub const SIZE: u32 = 800;
/// The set is that of z -> z * z + C.
const C: (f64, f64) = (-0.8, 0.156);

/// All rows.
#[must_use]
pub fn picture() -> Vec<u8> {
    (0..SIZE).flat_map(row).collect()
}

/// Red, green, blue and alpha of each pixel of a row.
///
/// A function of its own, see [`compute`](crate::work::compute).
#[must_use]
#[inline(never)]
pub fn row(y: u32) -> Vec<u8> {
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
