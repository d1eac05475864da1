use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex, RwLock};

use wasm_mt::remote;

fn locks(mutex: Arc<Mutex<u32>>, lock: Arc<RwLock<String>>) {
    let _ = remote!(move || *mutex.lock().unwrap() += 1);
    let _ = remote!(async move { lock.write().unwrap().clear() });
}

fn cells(cell: Rc<Cell<u32>>, parent: Weak<RefCell<u32>>) {
    let _ = remote!(move |n: u32| cell.set(n));
    let _ = remote!([of = parent] move || drop(of));
}

fn atomics(counter: Arc<AtomicU32>) {
    let _ = remote!(move || drop(counter));
}

fn several(counters: Vec<Arc<AtomicU32>>, slots: Arc<[Mutex<u8>; 2]>, last: Option<Rc<RefCell<u8>>>) {
    let _ = remote!(move || drop((counters, slots, last)));
}

fn main() {}
