//! Draws the Mandelbrot set and zooms in where it is clicked: the application of the guide in `docs/guide`.
//!
//! The guide quotes these files, and its code includes them: so the others have no `//!` line.

mod explore;
#[cfg(target_family = "wasm")]
mod page;
mod picture;

use std::error::Error;

use wasm_mt::Pool;

use explore::explore;

fn main() {
    wasm_mt::run(app());
}

#[cfg(target_family = "wasm")]
async fn app() -> Result<(), Box<dyn Error>> {
    let page = page::Page::find()?;
    explore(&Pool::new(), page.view(), page.clicks()?, |band| page.draw(band)).await
}

/// Draws with characters, once. There are no clicks.
#[cfg(not(target_family = "wasm"))]
async fn app() -> Result<(), Box<dyn Error>> {
    let view = picture::View::whole(320, 192);
    let draw = |band: &picture::Band| {
        let row = band.pixels.0.chunks(view.width as usize * 4).next().unwrap_or_default();
        let shades = row.chunks(4 * 4).map(|pixels| b" .:-=+*#%@"[usize::from(pixels[2]) * 9 / 255]);
        wasm_mt::println!("{}", shades.map(char::from).collect::<String>().trim_end());
        Ok(())
    };
    explore(&Pool::new(), view, futures::stream::empty(), draw).await
}
