//! What has become of the items of a chunk.

use std::mem;
use std::time::Duration;
use std::vec;

use serde::de::DeserializeOwned;

use super::batch::{Batch, BatchReader};
use super::codec::foreign;
use crate::error::Error;
use crate::platform::Packet;
use crate::wire::{PacketReader, Put, Take};

/// What has become of the items of a task.
#[derive(Debug, Default)]
pub(crate) struct Results {
    /// The results of those that have one, in the order of the items; or what they were reduced to.
    pub(crate) values: Batch,
    /// The others of those that have begun: which, counted from the first, and why.
    pub(crate) errors: Vec<(usize, Error)>,
    /// How many items have begun.
    pub(crate) begun: usize,
    /// Items that were not begun, the last of the task.
    pub(crate) rest: Batch,
    /// How long it took, if it was measured.
    pub(crate) ran: Option<Duration>,
}

impl Results {
    /// That of the only item, as a task of its own gives it.
    pub(crate) fn one(packet: Packet) -> Box<Self> {
        Box::new(Self { values: Batch::one(packet), begun: 1, ..Self::default() })
    }

    /// The same error for so many items.
    pub(crate) fn failed(items: usize, error: &Error) -> Box<Self> {
        let errors = (0..items).map(|nth| (nth, error.clone())).collect();
        Box::new(Self { errors, begun: items, ..Self::default() })
    }

    /// Notes the error of the item that has begun last.
    pub(super) fn fail(&mut self, error: Error) {
        self.errors.push((self.ended(), error));
    }

    /// Puts one value in the place of all, if there are no errors. Else these are all that counts.
    pub(super) fn reduce(&mut self, reduce: impl FnOnce(Batch) -> Result<Batch, Error>) -> Result<(), Error> {
        let values = mem::take(&mut self.values);
        if self.errors.is_empty() {
            self.values = reduce(values)?;
        }
        self.errors.iter_mut().enumerate().for_each(|(nth, (place, _))| *place = nth);
        Ok(())
    }

    pub(crate) fn write(self) -> Packet {
        let mut packet = Packet::default();
        self.ran.put(&mut packet);
        self.begun.put(&mut packet);
        self.errors.len().put(&mut packet);
        for (place, error) in self.errors {
            place.put(&mut packet);
            error.put(&mut packet);
        }
        self.values.put(&mut packet);
        self.rest.put(&mut packet);
        packet
    }

    /// Each item that has begun has a result or an error.
    pub(crate) fn read(packet: Packet) -> Result<Box<Self>, Error> {
        let results = Self::read_reduced(packet)?;
        if results.ended() == results.begun { Ok(results) } else { Err(foreign()) }
    }

    /// The results may have been reduced to one.
    pub(crate) fn read_reduced(packet: Packet) -> Result<Box<Self>, Error> {
        let mut reader = PacketReader::new(packet);
        let mut read = || {
            let (ran, begun) = (Take::take(&mut reader)?, Take::take(&mut reader)?);
            let count = usize::take(&mut reader)?;
            let mut errors = Vec::new();
            for _ in 0..count {
                errors.push((Take::take(&mut reader)?, Take::take(&mut reader)?));
            }
            let (values, rest) = (Take::take(&mut reader)?, Take::take(&mut reader)?);
            Some(Box::new(Self { values, errors, begun, rest, ran }))
        };
        let results = read().and_then(|results| reader.finish().map(|()| results));
        results.filter(|results| results.has_places()).ok_or_else(foreign)
    }

    fn ended(&self) -> usize {
        self.values.len() + self.errors.len()
    }

    /// True if the errors are of one item each, in order, and there are no more results than items.
    fn has_places(&self) -> bool {
        let ended = self.ended();
        let in_order = self.errors.is_sorted_by(|(before, _), (behind, _)| before < behind);
        in_order && ended <= self.begun && self.errors.last().is_none_or(|(last, _)| *last < ended)
    }
}

/// Gives the results one by one.
#[derive(Debug, Default)]
pub(crate) struct ResultsReader {
    values: BatchReader,
    errors: vec::IntoIter<(usize, Error)>,
    /// How many were given.
    given: usize,
    /// Was met behind values that were given together.
    met: Option<Error>,
}

impl ResultsReader {
    /// What was not begun is left out.
    pub(crate) fn new(results: Results) -> Self {
        let Results { values, errors, .. } = results;
        Self { values: BatchReader::new(values), errors: errors.into_iter(), given: 0, met: None }
    }

    /// How many are left.
    pub(crate) fn left(&self) -> usize {
        self.values.left() + self.errors.len() + usize::from(self.met.is_some())
    }

    #[inline]
    pub(crate) fn next<R: DeserializeOwned + 'static>(&mut self) -> Option<Result<R, Error>> {
        let result = if self.errors.as_slice().first().is_some_and(|(place, _)| *place == self.given) {
            self.errors.next().map(|(_, error)| Err(error))
        } else {
            self.values.next()
        };
        self.given += 1;
        result
    }

    /// The values up to the next error, or that.
    pub(crate) fn next_values<R: DeserializeOwned + 'static>(&mut self) -> Option<Result<Vec<R>, Error>> {
        if let Some(error) = self.met.take() {
            return Some(Err(error));
        }
        if self.errors.len() == 0 {
            if let Some(values) = self.values.take_plain() {
                return Some(Ok(values));
            }
        }
        let mut values = Vec::new();
        while let Some(result) = self.next() {
            match result {
                Ok(value) => values.push(value),
                Err(error) if values.is_empty() => return Some(Err(error)),
                Err(error) => {
                    self.met = Some(error);
                    break;
                }
            }
        }
        if values.is_empty() { None } else { Some(Ok(values)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_that_leave_an_item_out_are_refused() {
        let results = |begun| {
            let mut values = Batch::of::<u8>();
            assert!(values.push(&7_u8).is_ok());
            Results { values, errors: vec![(1, Error::closed())], begun, ..Results::default() }.write()
        };
        assert!(Results::read(results(2)).is_ok());
        assert!(Results::read(results(3)).is_err(), "one is left out");
        assert!(Results::read_reduced(results(3)).is_ok(), "two were made one");
        assert!(Results::read_reduced(results(1)).is_err(), "there is one too many");
    }
}
