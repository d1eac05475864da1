//! A store of keys and values that lives on a worker and has a file, in browsers one of OPFS: an actor, and calls of it.

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::ops::Range;

use futures::future::try_join_all;
use wasm_mt::{Actor, Error, Thread, actor, call, println, remote, yield_now};

use self::target::File;

/// The name of the file.
const NAME: &str = "wasm-mt-store";

fn main() {
    wasm_mt::run(app());
}

async fn app() -> Result<(), Box<dyn StdError>> {
    let thread = Thread::new();
    if !thread.spawn_remote(remote!(|| File::is_supported())).await? {
        println!("this browser has no OPFS, so there is no store");
        return Ok(());
    }
    let store = open(&thread);

    let (key, value) = ("sea".to_owned(), b"salty".to_vec());
    store.call(call!(move |store| store.put(&key, &value))).await??;
    let value = store.call(call!(|store| store.get("sea"))).await??;
    println!("the sea is {}", String::from_utf8(value.unwrap_or_default())?);

    // Each reads the number and writes the next one. No other call has the store between these.
    let before = store.call(call!(|store| store.number("calls"))).await??;
    let calls = (0..10).map(|_| {
        store.call(call!(async |store| {
            let number = store.number("calls")?;
            yield_now().await;
            store.put("calls", &(number + 1).to_le_bytes())
        }))
    });
    try_join_all(calls).await?.into_iter().collect::<Result<(), Error>>()?;
    let after = store.call(call!(|store| store.number("calls"))).await??;
    println!("ten calls at once: from {before} to {after}");
    assert_eq!(after, before + 10);

    // The file ends within a record, as if the worker had ended while it wrote.
    store.call(call!(|store| store.file.write(store.end, &[5, 0, 0]))).await??;

    // The store is dropped on its worker, and its file closed, before the next one is made there.
    drop(store);
    let store = open(&thread);
    let value = store.call(call!(|store| store.get("sea"))).await??;
    let number = store.call(call!(|store| store.number("calls"))).await??;
    assert_eq!((value.as_deref(), number), (Some(&b"salty"[..]), after));
    let count = store.call(call!(|store| store.count())).await?;
    println!("opened again: {count} keys");
    assert_eq!(count, 2);
    // What was no whole record is gone.
    let (size, end) = store.call(call!(|store| (store.file.size(), store.end))).await?;
    assert_eq!(size?, end);

    drop(store);
    thread.spawn_remote(remote!(|| File::clean_up(NAME))).await??;
    Ok(())
}

/// The store lives on the worker of this thread.
fn open(thread: &Thread) -> Actor<Store> {
    thread.spawn_actor(actor!(async || Store::open(NAME).await))
}

/// A file to which records are appended: a key and its value. What counts is the last record of a key.
struct Store {
    file: File,
    /// Where the value of each key is in the file.
    values: BTreeMap<Vec<u8>, Range<usize>>,
    /// Where the next record goes.
    end: usize,
}

impl Store {
    async fn open(name: &str) -> Result<Self, Error> {
        let file = File::open(name).await?;
        let log = file.read(0..file.size()?)?;
        let mut store = Self { file, values: BTreeMap::new(), end: 0 };
        while let Some((key, value)) = first_record(&log[store.end..]) {
            store.add(key, value);
        }
        // What is left over is a record that was not written to its end.
        store.file.truncate(store.end)?;
        Ok(store)
    }

    fn put(&mut self, key: &str, value: &[u8]) -> Result<(), Error> {
        let fields = [key.as_bytes(), value];
        let record = fields.map(|field| [&(field.len() as u64).to_le_bytes(), field].concat()).concat();
        if let Err(error) = self.file.write(self.end, &record) {
            // A part of it may be there, as when the disk is full.
            self.file.truncate(self.end)?;
            return Err(error);
        }
        self.add(key.as_bytes(), value);
        Ok(())
    }

    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let place = self.values.get(key.as_bytes());
        place.map(|place| self.file.read(place.clone())).transpose()
    }

    /// A value as a number; zero if there is none.
    fn number(&self, key: &str) -> Result<u64, Error> {
        let value = self.get(key)?.unwrap_or_else(|| vec![0; 8]);
        value.try_into().map(u64::from_le_bytes).map_err(|_| Error::other(format!("{key} is no number")))
    }

    fn count(&self) -> usize {
        self.values.len()
    }

    /// Notes the record at the end.
    fn add(&mut self, key: &[u8], value: &[u8]) {
        self.end += 2 * size_of::<u64>() + key.len() + value.len();
        self.values.insert(key.to_vec(), self.end - value.len()..self.end);
    }
}

/// The key and the value of the first record, if it is there to its end.
fn first_record(log: &[u8]) -> Option<(&[u8], &[u8])> {
    let (key, rest) = first_field(log)?;
    let (value, _) = first_field(rest)?;
    Some((key, value))
}

/// A field is its length, in eight bytes, and so many bytes. Gives these, and what follows.
fn first_field(log: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = log.split_first_chunk()?;
    rest.split_at_checked(u64::from_le_bytes(*length).try_into().ok()?)
}

#[cfg(target_family = "wasm")]
use web as target;

#[cfg(target_family = "wasm")]
mod web {
    use std::ops::Range;

    use wasm_bindgen::{JsCast, JsValue};
    use wasm_bindgen_futures::JsFuture;
    use wasm_mt::Error;
    use web_sys::{
        FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetFileOptions,
        FileSystemReadWriteOptions, FileSystemSyncAccessHandle, StorageManager, WorkerGlobalScope,
    };

    /// A file of OPFS, the file system that a browser has for each origin. It stays there for the next visit.
    pub(super) struct File(FileSystemSyncAccessHandle);

    impl File {
        /// True if this browser has OPFS.
        pub(super) fn is_supported() -> bool {
            !storage().is_undefined()
        }

        pub(super) async fn open(name: &str) -> Result<Self, Error> {
            let folder = JsFuture::from(storage().get_directory()).await.map_err(error)?;
            let folder: FileSystemDirectoryHandle = folder.unchecked_into();
            let options = FileSystemGetFileOptions::new();
            options.set_create(true);
            let file = JsFuture::from(folder.get_file_handle_with_options(name, &options)).await;
            let file: FileSystemFileHandle = file.map_err(error)?.unchecked_into();
            // Fails if another tab has it.
            let handle = JsFuture::from(file.create_sync_access_handle()).await.map_err(error)?;
            Ok(Self(handle.unchecked_into()))
        }

        pub(super) fn size(&self) -> Result<usize, Error> {
            Ok(self.0.get_size().map_err(error)? as usize)
        }

        pub(super) fn read(&self, place: Range<usize>) -> Result<Vec<u8>, Error> {
            let mut bytes = vec![0; place.len()];
            let read = self.0.read_with_u8_array_and_options(&mut bytes, &at(place.start));
            check_count(read.map_err(error)?, bytes.len())?;
            Ok(bytes)
        }

        pub(super) fn write(&self, start: usize, bytes: &[u8]) -> Result<(), Error> {
            let written = self.0.write_with_u8_array_and_options(bytes, &at(start));
            check_count(written.map_err(error)?, bytes.len())?;
            self.0.flush().map_err(error)
        }

        pub(super) fn truncate(&self, size: usize) -> Result<(), Error> {
            self.0.truncate_with_f64(size as f64).map_err(error)
        }

        /// The file is for the next visit.
        pub(super) fn clean_up(_name: &str) -> Result<(), Error> {
            Ok(())
        }
    }

    impl Drop for File {
        fn drop(&mut self) {
            self.0.close();
        }
    }

    /// Undefined where a browser has none.
    fn storage() -> StorageManager {
        js_sys::global().unchecked_into::<WorkerGlobalScope>().navigator().storage()
    }

    fn at(start: usize) -> FileSystemReadWriteOptions {
        let options = FileSystemReadWriteOptions::new();
        options.set_at(start as f64);
        options
    }

    fn check_count(done: f64, length: usize) -> Result<(), Error> {
        if done as usize != length {
            return Err(Error::other(format!("{done} bytes were read or written instead of {length}")));
        }
        Ok(())
    }

    fn error(thrown: JsValue) -> Error {
        Error::other(js_sys::Object::from(thrown).to_string())
    }
}

#[cfg(not(target_family = "wasm"))]
use native as target;

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::io::{self, Read, Seek, SeekFrom, Write};
    use std::ops::Range;
    use std::path::PathBuf;
    use std::{env, fs, process};

    use wasm_mt::Error;

    /// A file of this process.
    pub(super) struct File(fs::File);

    impl File {
        pub(super) fn is_supported() -> bool {
            true
        }

        pub(super) async fn open(name: &str) -> Result<Self, Error> {
            let mut options = fs::OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            options.open(path(name)).map(Self).map_err(error)
        }

        pub(super) fn size(&self) -> Result<usize, Error> {
            Ok(self.0.metadata().map_err(error)?.len() as usize)
        }

        pub(super) fn read(&self, place: Range<usize>) -> Result<Vec<u8>, Error> {
            let mut bytes = vec![0; place.len()];
            self.at(place.start).and_then(|mut file| file.read_exact(&mut bytes)).map_err(error)?;
            Ok(bytes)
        }

        pub(super) fn write(&self, start: usize, bytes: &[u8]) -> Result<(), Error> {
            self.at(start).and_then(|mut file| file.write_all(bytes)).map_err(error)?;
            self.0.sync_data().map_err(error)
        }

        pub(super) fn truncate(&self, size: usize) -> Result<(), Error> {
            self.0.set_len(size as u64).map_err(error)
        }

        pub(super) fn clean_up(name: &str) -> Result<(), Error> {
            fs::remove_file(path(name)).map_err(error)
        }

        fn at(&self, start: usize) -> io::Result<&fs::File> {
            (&self.0).seek(SeekFrom::Start(start as u64)).map(|_| &self.0)
        }
    }

    fn path(name: &str) -> PathBuf {
        env::temp_dir().join(format!("{name}-{}", process::id()))
    }

    fn error(error: io::Error) -> Error {
        Error::other(error.to_string())
    }
}
