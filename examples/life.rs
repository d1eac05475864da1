//! Conway's game of life: an actor computes it on a worker and draws it on a canvas of the page, which has buttons for its calls.

use std::error::Error as StdError;
use std::time::Duration;

use futures::StreamExt;
use serde::{Deserialize, Serialize};
use wasm_mt::{Actor, ActorCall, Error, RemoteHandle, Sender, Thread, actor, call, println, watch};

use self::target::{Canvas, HEIGHT, Screen, WIDTH};

/// The time between two generations.
const PAUSE: Duration = Duration::from_millis(40);

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Box<dyn StdError>> {
    let screen = Screen::new()?;
    let canvas = screen.hand_over_canvas()?;
    let (sender, mut numbers) = watch();
    let mut game = Game {
        life: Thread::new().spawn_actor(actor!(move || Ok(Life::new(Canvas::new(canvas)?, sender)))),
        running: None,
    };

    // A glider, across the corner.
    let start = glider(WIDTH - 2, HEIGHT - 2);
    game.life.call(call!(move |life| life.begin(&start))).await?;
    for _ in 0..4 {
        game.life.call(call!(|life| life.step())).await?;
    }
    assert_eq!(game.life.call(call!(|life| life.living())).await?, glider(WIDTH - 1, HEIGHT - 1));
    println!("after four generations a glider is one cell further to the right and down");

    game.scatter();
    game.run();
    while let Some(now) = numbers.next().await {
        let now = match now {
            Ok(now) => now,
            // The worker is lost. Of the two errors, that of the call says why.
            Err(lost) => return Err(game.fault().await.unwrap_or(lost).into()),
        };
        screen.show(&now);
        if now.generation >= 60 {
            break;
        }
    }
    // From here on, a generation comes by a step only.
    game.pause();
    let before = game.life.call(call!(|life| life.numbers())).await?;
    game.step();
    let after = game.life.call(call!(|life| life.numbers())).await?;
    assert_eq!(after.generation, before.generation + 1);
    println!(
        "paused in generation {} with {} cells, and made one more",
        before.generation, before.population
    );

    screen.play(game, numbers)
}

/// What the buttons do.
struct Game {
    life: Actor<Life>,
    /// While the game is running: a call that does not end by itself.
    running: Option<RemoteHandle<()>>,
}

impl Game {
    fn run(&mut self) {
        self.running = Some(self.life.call(call!(async |life| {
            loop {
                life.step();
                wasm_mt::sleep(PAUSE).await;
            }
        })));
    }

    /// Dropping the handle cancels the call, and the object is free for others.
    fn pause(&mut self) {
        self.running = None;
    }

    /// Why the running game has ended by itself.
    async fn fault(&mut self) -> Option<Error> {
        self.running.take()?.await.err()
    }

    fn step(&mut self) {
        self.interrupt(call!(|life| life.step()));
    }

    /// Begins anew, with cells here and there.
    fn scatter(&mut self) {
        self.interrupt(call!(|life| life.scatter()));
    }

    /// Calls come one at a time, so the running game is stopped for this one.
    fn interrupt(&mut self, call: ActorCall<Life, ()>) {
        let was_running = self.running.take().is_some();
        self.life.call(call).forget();
        if was_running {
            self.run();
        }
    }
}

/// The places of the cells that make a glider, in their order. The board has no edge: opposite ones meet.
fn glider(left: usize, top: usize) -> Vec<usize> {
    let cells = [(1, 0), (2, 1), (0, 2), (1, 2), (2, 2)];
    let mut places = cells.map(|(x, y)| (top + y) % HEIGHT * WIDTH + (left + x) % WIDTH);
    places.sort_unstable();
    places.to_vec()
}

#[derive(Serialize, Deserialize)]
struct Numbers {
    generation: u32,
    /// How many cells are alive.
    population: usize,
}

/// The object on the worker.
struct Life {
    /// Row by row, whether a cell is alive.
    cells: Vec<bool>,
    generation: u32,
    /// The state of a generator of random numbers.
    random: u32,
    canvas: Canvas,
    sender: Sender<Numbers>,
}

impl Life {
    fn new(canvas: Canvas, sender: Sender<Numbers>) -> Self {
        Self { cells: vec![false; WIDTH * HEIGHT], generation: 0, random: 1, canvas, sender }
    }

    fn begin(&mut self, living: &[usize]) {
        self.cells.fill(false);
        living.iter().for_each(|place| self.cells[*place] = true);
        self.generation = 0;
        self.show();
    }

    fn scatter(&mut self) {
        let mut random = self.random;
        let living = (0..WIDTH * HEIGHT).filter(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random >> 30 == 0
        });
        self.begin(&living.collect::<Vec<_>>());
        self.random = random;
    }

    fn step(&mut self) {
        let next = |place| {
            let (x, y) = (place % WIDTH, place / WIDTH);
            let columns = [x + WIDTH - 1, x, x + 1].map(|x| x % WIDTH);
            let rows = [y + HEIGHT - 1, y, y + 1].map(|y| y % HEIGHT * WIDTH);
            let block = rows.iter().flat_map(|row| columns.map(|column| self.cells[row + column]));
            // The cell itself is one of the nine.
            match block.filter(|is_alive| *is_alive).count() {
                3 => true,
                4 => self.cells[place],
                _ => false,
            }
        };
        self.cells = (0..WIDTH * HEIGHT).map(next).collect();
        self.generation += 1;
        self.show();
    }

    fn show(&mut self) {
        self.canvas.draw(self.generation, &self.cells);
        self.sender.try_send(self.numbers()).unwrap_or(()); // they are not shown any more
    }

    fn numbers(&self) -> Numbers {
        Numbers { generation: self.generation, population: self.living().len() }
    }

    fn living(&self) -> Vec<usize> {
        (0..self.cells.len()).filter(|place| self.cells[*place]).collect()
    }
}

#[cfg(target_family = "wasm")]
use web as target;

#[cfg(target_family = "wasm")]
mod web {
    use std::cell::RefCell;
    use std::error::Error as StdError;
    use std::rc::Rc;

    use futures::StreamExt;
    use wasm_bindgen::prelude::Closure;
    use wasm_bindgen::{Clamped, JsCast, JsValue};
    use wasm_mt::{Error, Js, Receiver, Transfer, println};
    use web_sys::{
        Element, HtmlCanvasElement, ImageData, OffscreenCanvas, OffscreenCanvasRenderingContext2d,
    };

    use super::{Game, Numbers};

    pub(super) const WIDTH: usize = 180;
    pub(super) const HEIGHT: usize = 120;

    /// The canvas on the worker. What is drawn there appears on the page.
    pub(super) struct Canvas {
        context: OffscreenCanvasRenderingContext2d,
    }

    impl Canvas {
        pub(super) fn new(Transfer(Js(canvas)): Transfer<Js<OffscreenCanvas>>) -> Result<Self, Error> {
            let context = canvas.get_context("2d").ok().flatten();
            let context = context.ok_or_else(|| Error::other("the canvas has no context on a worker"))?;
            Ok(Self { context: context.unchecked_into() })
        }

        pub(super) fn draw(&mut self, _generation: u32, cells: &[bool]) {
            // Red, green, blue and alpha. Where no cell is alive, the page shows through.
            let pixel = |is_alive: &bool| if *is_alive { [122, 104, 214, 255] } else { [0; 4] };
            let pixels: Vec<u8> = cells.iter().flat_map(pixel).collect();
            ImageData::new_with_u8_clamped_array(Clamped(&pixels), WIDTH as u32)
                .and_then(|image| self.context.put_image_data(&image, 0.0, 0.0))
                .expect("there are as many pixels as the canvas has");
        }
    }

    /// The page.
    pub(super) struct Screen {
        canvas: HtmlCanvasElement,
        numbers: Element,
    }

    impl Screen {
        pub(super) fn new() -> Result<Self, Box<dyn StdError>> {
            let html = format!(
                "<canvas width='{WIDTH}' height='{HEIGHT}' style='width: 100%; image-rendering: pixelated' role='img'
                    aria-label='The board of the game of life'></canvas>
                 <p id='numbers'></p>
                 <p><button id='run'>Run</button> <button id='step'>Step</button>
                    <button id='scatter'>Begin anew</button></p>"
            );
            find("#stage")?.insert_adjacent_html("beforeend", &html).map_err(text)?;
            Ok(Self { canvas: find("#stage canvas")?.unchecked_into(), numbers: find("#numbers")? })
        }

        /// The canvas of the page, to be moved to a worker.
        pub(super) fn hand_over_canvas(&self) -> Result<Transfer<Js<OffscreenCanvas>>, Box<dyn StdError>> {
            Ok(Js::transfer(self.canvas.transfer_control_to_offscreen().map_err(text)?))
        }

        pub(super) fn show(&self, Numbers { generation, population }: &Numbers) {
            self.numbers.set_text_content(Some(&format!("Generation {generation}, {population} cells")));
        }

        /// Leaves the game to the buttons: the page stays when the program has ended.
        pub(super) fn play(
            self,
            mut game: Game,
            mut numbers: Receiver<Numbers>,
        ) -> Result<(), Box<dyn StdError>> {
            wasm_bindgen_futures::spawn_local(async move {
                while let Some(now) = numbers.next().await {
                    match now {
                        Ok(now) => self.show(&now),
                        Err(error) => println!("{error}"), // the worker is lost
                    }
                }
            });
            game.run();
            let game = Rc::new(RefCell::new(game));
            let run = find("#run")?;
            run.set_text_content(Some("Pause"));
            on_click("#run", &game, move |game| {
                let is_running = game.running.is_some();
                if is_running {
                    game.pause();
                } else {
                    game.run();
                }
                run.set_text_content(Some(if is_running { "Run" } else { "Pause" }));
            })?;
            on_click("#step", &game, Game::step)?;
            on_click("#scatter", &game, Game::scatter)
        }
    }

    fn on_click(
        selector: &str,
        game: &Rc<RefCell<Game>>,
        act: impl Fn(&mut Game) + 'static,
    ) -> Result<(), Box<dyn StdError>> {
        let game = game.clone();
        let listener = Closure::<dyn FnMut()>::new(move || act(&mut game.borrow_mut()));
        let target = listener.as_ref().unchecked_ref();
        find(selector)?.add_event_listener_with_callback("click", target).map_err(text)?;
        listener.forget(); // it is there as long as the page
        Ok(())
    }

    fn find(selector: &str) -> Result<Element, Box<dyn StdError>> {
        let document =
            web_sys::window().and_then(|window| window.document()).ok_or("there is no document")?;
        let found = document.query_selector(selector).map_err(text)?;
        Ok(found.ok_or_else(|| format!("the page has no element {selector}"))?)
    }

    fn text(error: JsValue) -> String {
        format!("{error:?}")
    }
}

#[cfg(not(target_family = "wasm"))]
use native as target;

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::error::Error as StdError;

    use serde::{Deserialize, Serialize};
    use wasm_mt::{Error, Receiver, println};

    use super::{Game, Numbers};

    pub(super) const WIDTH: usize = 64;
    pub(super) const HEIGHT: usize = 24;

    /// The terminal: a character is two cells, one below the other.
    #[derive(Serialize, Deserialize)]
    pub(super) struct Canvas;

    impl Canvas {
        pub(super) fn new(canvas: Self) -> Result<Self, Error> {
            Ok(canvas)
        }

        /// Prints one of twenty generations.
        pub(super) fn draw(&mut self, generation: u32, cells: &[bool]) {
            if generation % 20 != 0 {
                return;
            }
            println!("-- generation {generation} {}", "-".repeat(WIDTH));
            for rows in cells.chunks(2 * WIDTH) {
                let (upper, lower) = rows.split_at(WIDTH);
                let sign = |cells: (&bool, &bool)| match cells {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                };
                println!("{}", upper.iter().zip(lower).map(sign).collect::<String>().trim_end());
            }
        }
    }

    pub(super) struct Screen;

    impl Screen {
        pub(super) fn new() -> Result<Self, Box<dyn StdError>> {
            Ok(Self)
        }

        pub(super) fn hand_over_canvas(&self) -> Result<Canvas, Box<dyn StdError>> {
            Ok(Canvas)
        }

        /// What is drawn says enough.
        pub(super) fn show(&self, _numbers: &Numbers) {}

        /// There are no buttons.
        pub(super) fn play(self, _game: Game, _numbers: Receiver<Numbers>) -> Result<(), Box<dyn StdError>> {
            Ok(())
        }
    }
}
