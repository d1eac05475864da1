// The canvas of the page, and the clicks on it.

use std::error::Error;

use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{Clamped, JsCast, JsValue};
use web_sys::{CanvasRenderingContext2d, HtmlCanvasElement, ImageData, MouseEvent};

use super::picture::{Band, View};

pub(crate) struct Page {
    canvas: HtmlCanvasElement,
    context: CanvasRenderingContext2d,
}

impl Page {
    pub(crate) fn find() -> Result<Self, Box<dyn Error>> {
        let document =
            web_sys::window().and_then(|window| window.document()).ok_or("there is no document")?;
        let canvas = document.query_selector("canvas").map_err(text)?.ok_or("there is no canvas")?;
        let canvas: HtmlCanvasElement = canvas.unchecked_into();
        let context = canvas.get_context("2d").map_err(text)?.ok_or("the canvas has no context")?;
        Ok(Self { canvas, context: context.unchecked_into() })
    }

    pub(crate) fn view(&self) -> View {
        View::whole(self.canvas.width(), self.canvas.height())
    }

    /// The pixels that are clicked.
    pub(crate) fn clicks(&self) -> Result<UnboundedReceiver<(f64, f64)>, Box<dyn Error>> {
        let (sender, receiver) = unbounded();
        let listener = Closure::<dyn FnMut(MouseEvent)>::new(move |event: MouseEvent| {
            let pixel = (event.offset_x().into(), event.offset_y().into());
            sender.unbounded_send(pixel).unwrap_or(()); // nothing is drawn any more
        });
        let target = listener.as_ref().unchecked_ref();
        self.canvas.add_event_listener_with_callback("click", target).map_err(text)?;
        listener.forget(); // it is there as long as the page
        Ok(receiver)
    }

    pub(crate) fn draw(&self, band: &Band) -> Result<(), Box<dyn Error>> {
        let pixels = Clamped(band.pixels.0.as_slice());
        let image = ImageData::new_with_u8_clamped_array(pixels, self.canvas.width()).map_err(text)?;
        Ok(self.context.put_image_data(&image, 0.0, band.top.into()).map_err(text)?)
    }
}

fn text(error: JsValue) -> String {
    format!("{error:?}")
}
