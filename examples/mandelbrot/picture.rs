// The Mandelbrot set, computed in bands of rows.

use serde::{Deserialize, Serialize};
use wasm_mt::Transfer;

/// The rows of a band.
const ROWS: u32 = 8;
/// The steps after which a point counts as one of the set.
const LIMIT: u32 = 1000;

/// A part of the complex plane, and the size of its picture in pixels.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct View {
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// The point in the middle of the picture.
    pub(crate) centre: (f64, f64),
    /// The distance between two pixels.
    pub(crate) step: f64,
}

impl View {
    /// The whole set.
    pub(crate) fn whole(width: u32, height: u32) -> Self {
        Self { width, height, centre: (-0.6, 0.0), step: 3.0 / f64::from(width.min(height)) }
    }

    /// A view that is four times as close, with this pixel in the middle.
    pub(crate) fn zoom(self, (x, y): (f64, f64)) -> Self {
        Self { centre: self.point(x, y), step: self.step / 4.0, ..self }
    }

    /// The first row of each band.
    pub(crate) fn tops(self) -> impl Iterator<Item = u32> {
        (0..self.height).step_by(ROWS as usize)
    }

    fn point(self, x: f64, y: f64) -> (f64, f64) {
        let (right, down) = (x - f64::from(self.width) / 2.0, y - f64::from(self.height) / 2.0);
        (self.centre.0 + right * self.step, self.centre.1 + down * self.step)
    }
}

/// Some rows of a picture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Band {
    pub(crate) top: u32,
    /// Red, green, blue and alpha of each pixel, row by row.
    pub(crate) pixels: Transfer<Vec<u8>>,
}

/// Computes the band that begins at row `top`.
pub(crate) fn band(view: &View, top: u32) -> Band {
    let rows = top..view.height.min(top + ROWS);
    let pixels = rows.flat_map(|y| (0..view.width).flat_map(move |x| colour(steps(view, x, y))));
    Band { top, pixels: Transfer(pixels.collect()) }
}

/// After how many steps z -> z * z + c leaves the circle around zero with radius two.
pub(crate) fn steps(view: &View, x: u32, y: u32) -> u32 {
    let c = view.point(x.into(), y.into());
    let (mut re, mut im) = (0.0, 0.0);
    let mut steps = 0;
    while steps < LIMIT && re * re + im * im < 4.0 {
        (re, im) = (re * re - im * im + c.0, 2.0 * re * im + c.1);
        steps += 1;
    }
    steps
}

/// Black in the set, from blue to white around it.
fn colour(steps: u32) -> [u8; 4] {
    let shade = |factor: u32| if steps == LIMIT { 0 } else { (steps * factor).min(255) as u8 };
    [shade(2), shade(4), shade(12), 255]
}
