// Draws a view, and another one after each click.

use std::error::Error;

use futures::StreamExt;
use futures::select;
use futures::stream::FusedStream;
use wasm_mt::{Executor, ExecutorExt, remote};

use super::picture::{Band, View, band};

/// Computes the bands of a view on the workers of `executor` and draws each as it arrives. A click, at a pixel, begins the
/// next view. Ends when there are no more clicks and the last view is drawn.
pub(crate) async fn explore(
    executor: &dyn Executor,
    mut view: View,
    mut clicks: impl FusedStream<Item = (f64, f64)> + Unpin,
    mut draw: impl FnMut(&Band) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    loop {
        let mut bands = executor.par_map(view.tops(), remote!(move |top| band(&view, top)));
        let click = loop {
            select! {
                band = bands.select_next_some() => draw(&band?)?,
                click = clicks.select_next_some() => break click,
                complete => return Ok(()),
            }
        };
        // Dropping the stream cancels the bands that are in flight.
        drop(bands);
        view = view.zoom(click);
    }
}
