#![expect(unsafe_code, reason = "an address becomes a reference again")]
//! Addresses that mean the same in every instance of one module.
//!
//! On the web every worker runs the page's own compiled module, so its statics and its function table lie where the page's
//! lie; natively both sides share one memory. So a static or a function can cross as its [`Address`], in a lane of
//! [packets](super::Packet) that holds nothing else.
//!
//! # Soundness
//!
//! An `Address` is made of a static or a function that lives for ever ([`Address::of`] and its kin), or read from the lane
//! that such addresses were written to ([`Address::from_lane`]). This file is the only one that makes one of a number, and
//! the only one that makes a reference of an address. What is cheap to check is checked: alignment, on the web the range, and
//! the tag of a [`Tagged`] static, which tells apart an instance of another module, where something else lies.
//!
//! Who can write that lane is trusted. Natively that is this crate. On the web it is also every script of the page's own
//! realm and of its workers': they can write to the program's memory anyway. Such a script can forge a packet, and the
//! checks do not stop it: a location has no tag, and a function is known by its entry only. (The engine checks that what is
//! called has the number and kinds of arguments that WebAssembly knows.) Nobody outside can: packets are read from the ports of the
//! workers alone. No message of a window, a frame or a broadcast channel is ever looked at.
//!
//! Between processes addresses cross as distances ([`Address::distance`]), and only in calls that a peer of the same build has
//! sealed with a secret: see the module `transport`. Who has that secret is trusted.

use std::mem;
use std::ops::Deref;
use std::panic::Location;
use std::ptr;

#[cfg(feature = "transport")]
use super::backend::anchor;
use super::backend::memory_size;

/// The address of a static or a function of this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Address(usize);

/// The content of a static that crosses as its address.
pub(crate) trait Tag: 'static {
    /// An arbitrary pattern that no other static is likely to begin with.
    const TAG: u64;
}

/// A static that crosses as its address, with its tag in front.
#[repr(C)]
pub(crate) struct Tagged<T> {
    tag: u64,
    content: T,
}

impl<T: Tag> Tagged<T> {
    pub(crate) const fn new(content: T) -> Self {
        Self { tag: T::TAG, content }
    }
}

impl<T> Deref for Tagged<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.content
    }
}

impl Address {
    pub(crate) fn of<T: Tag>(place: &'static Tagged<T>) -> Self {
        Self(ptr::from_ref(place).expose_provenance())
    }

    /// `function` MUST be a function pointer.
    pub(crate) fn of_function(function: *const ()) -> Self {
        Self(function.expose_provenance())
    }

    pub(crate) fn of_location(location: &'static Location<'static>) -> Self {
        Self(ptr::from_ref(location).expose_provenance())
    }

    /// An address that was read from the lane of addresses, or was handed to a new worker beside its first packet. `number`
    /// MUST be what [`number`](Self::number) gave in an instance of this module.
    #[cfg_attr(
        not(any(target_family = "wasm", test, fuzzing)),
        expect(dead_code, reason = "natively packets are moved as they are")
    )]
    pub(crate) fn from_lane(number: usize) -> Self {
        Self(number)
    }

    /// The address as a number, for the lane of addresses.
    pub(crate) fn number(self) -> usize {
        self.0
    }

    /// How far it is from a place of this crate: natively the same in every process of one executable, wherever that was loaded to;
    /// on the web, where addresses are the same in every instance, the address itself.
    #[cfg(feature = "transport")]
    pub(crate) fn distance(self) -> isize {
        self.0.wrapping_sub(anchor()) as isize
    }

    /// The address at such a distance. `distance` MUST be what [`distance`](Self::distance) gave in a process of this executable, or
    /// an instance of this module.
    #[cfg(feature = "transport")]
    pub(crate) fn from_distance(distance: isize) -> Self {
        Self(anchor().wrapping_add_signed(distance))
    }

    /// The static at this address; `None` if there is none of this type.
    pub(crate) fn get<T: Tag>(self) -> Option<&'static T> {
        let place = self.pointer::<Tagged<T>>()?;
        // SAFETY: a static lies here or, if the address comes from another module, something else: on the web within this
        // instance's memory, all of which can be read. Natively there is no other module. The pointer is aligned, and the tag
        // is the first field of a `repr(C)` struct. It is read before there is a reference to the whole.
        let tag = unsafe { place.cast::<u64>().read() };
        if tag != T::TAG {
            return None;
        }
        // SAFETY: the tag agrees, so a `Tagged<T>` lies here: only trusted code can write addresses, and it takes them from such
        // statics (module documentation).
        Some(unsafe { &(*place).content })
    }

    /// The place in the program's source whose address this is; `None` if none can be there.
    ///
    /// # Safety
    ///
    /// [`of_location`](Self::of_location) MUST have made the address: a location has no tag.
    pub(crate) unsafe fn location(self) -> Option<&'static Location<'static>> {
        // SAFETY: the caller vouches for it, and what can be checked was.
        self.pointer::<Location<'static>>().map(|location| unsafe { &*location })
    }

    /// The function at this address; `None` for the null pointer.
    ///
    /// # Safety
    ///
    /// The address MUST be that of a function of type `F`, which MUST be a function pointer type.
    pub(crate) unsafe fn function<F: Copy>(self) -> Option<F> {
        const { assert!(size_of::<F>() == size_of::<usize>()) };
        if self.0 == 0 {
            return None;
        }
        // SAFETY: the caller vouches for the type; a function pointer is as large as its address, which is not null.
        Some(unsafe { mem::transmute_copy(&ptr::with_exposed_provenance::<()>(self.0)) })
    }

    /// A pointer, if a static of this type may lie here.
    fn pointer<T>(self) -> Option<*const T> {
        let end = self.0.checked_add(size_of::<T>())?;
        let fits = self.0 != 0 && self.0 % align_of::<T>() == 0 && end <= memory_size();
        fits.then(|| ptr::with_exposed_provenance(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Number(u32);
    impl Tag for Number {
        const TAG: u64 = 0x6e75_6d62_6572_0001;
    }

    struct Text(&'static str);
    impl Tag for Text {
        const TAG: u64 = 0x7465_7874_0000_0001;
    }

    static NUMBER: Tagged<Number> = Tagged::new(Number(7));
    static TEXT: Tagged<Text> = Tagged::new(Text("seven"));

    #[test]
    fn a_static_is_found_by_its_address() {
        let address = Address::from_lane(Address::of(&NUMBER).number());
        assert_eq!(address.get::<Number>().map(|number| number.0), Some(7));
        assert_eq!(Address::of(&TEXT).get::<Text>().map(|text| text.0), Some("seven"));
    }

    #[cfg(feature = "transport")]
    #[test]
    fn a_static_is_found_by_its_distance() {
        let distance = Address::of(&NUMBER).distance();
        assert_eq!(Address::from_distance(distance).get::<Number>().map(|number| number.0), Some(7));
    }

    #[test]
    fn what_is_no_such_static_is_refused() {
        static ELSEWHERE: [u64; 4] = [Number::TAG ^ 1; 4];
        let genuine = Address::of(&NUMBER).number();
        let beyond = usize::MAX - align_of::<Tagged<Number>>() + 1;
        let untagged = ptr::from_ref(&ELSEWHERE).expose_provenance();
        for forged in [0, 1, genuine + 1, beyond, untagged, Address::of(&TEXT).number()] {
            assert!(Address::from_lane(forged).get::<Number>().is_none(), "{forged:#x}");
        }
    }

    #[test]
    fn a_location_is_found_by_its_address() {
        let here = Location::caller();
        // SAFETY: one is a location's address, the other the null pointer.
        let (found, none) =
            unsafe { (Address::of_location(here).location(), Address::from_lane(0).location()) };
        assert_eq!((found, none), (Some(here), None));
    }

    #[test]
    fn a_function_is_called_by_its_address() {
        fn double(x: u32) -> u32 {
            2 * x
        }
        let address = Address::of_function(double as fn(u32) -> u32 as *const ());
        // SAFETY: that is its type.
        let found = unsafe { address.function::<fn(u32) -> u32>() };
        assert_eq!(found.map(|function| function(4)), Some(8));
        // SAFETY: the null pointer is no function.
        assert!(unsafe { Address::from_lane(0).function::<fn()>() }.is_none());
    }
}
