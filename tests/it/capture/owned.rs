//! What may be captured although it looks like what may not: the check of shared state refuses nothing else.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_mt::{Remote, RemoteFn, remote};

use crate::common::on_worker;

remote_test! {
    async fn what_can_be_changed_and_is_not_shared() {
        let (mutex, cell, list, counter) =
            (Mutex::new(1), Cell::new(2), RefCell::new(vec![3]), AtomicU32::new(4));
        let sum = remote!(move || {
            list.borrow_mut().push(counter.fetch_add(1, Ordering::Relaxed) + counter.load(Ordering::Relaxed));
            *mutex.lock().unwrap() + cell.replace(0) + list.borrow().iter().sum::<u32>()
        });
        assert_eq!(on_worker(sum).await.unwrap(), 1 + 2 + 3 + 4 + 5);
    }

    async fn what_is_shared_and_cannot_be_changed() {
        let (text, numbers, nested) = (Rc::<str>::from("ab"), Arc::new(vec![1, 2]), Some(Rc::new(Arc::new(3))));
        let task = remote!(move || (text.len(), numbers.iter().sum::<i32>() + nested.map_or(0, |nested| **nested)));
        assert_eq!(on_worker(task).await.unwrap(), (2, 6));
    }

    async fn state_that_the_task_gives_or_takes_for_its_own() {
        let made = on_worker(remote!(|| Arc::new(Mutex::new(5)))).await.unwrap();
        let open: RemoteFn<Rc<Cell<i32>>, i32> = remote!(|cell| cell.replace(0) + 1);
        let cell = Rc::new(Cell::new(*made.lock().unwrap()));
        assert_eq!(on_worker(open.call(cell)).await.unwrap(), 6);
        // Within another type it is not seen: it is a copy.
        let by_hand = Remote::new((made.clone(),), |(made,)| *made.lock().unwrap() += 1);
        on_worker(by_hand).await.unwrap();
        assert_eq!(*made.lock().unwrap(), 5);
    }

    async fn a_type_parameter() {
        fn send<T: Serialize + DeserializeOwned + 'static>(value: T) -> Remote<(T, Option<Vec<T>>)> {
            let none = None;
            remote!(move || (value, none))
        }
        assert_eq!(on_worker(send(7)).await.unwrap(), (7, None));
    }
}
