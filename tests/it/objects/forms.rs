//! The forms that a remote trait may have.

use std::fmt::{self, Debug, Display};
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use wasm_mt::{Remote, remote, remote_trait};

use super::{Shape, Square};
use crate::common::on_worker;

/// Where the crate has another name, and names that the macro could want are taken.
mod elsewhere {
    #![deny(missing_docs, warnings, reason = "what the macro writes gives no cause")]
    #![allow(dead_code, reason = "the names are only taken")]

    use serde::{Deserialize, Serialize};

    pub(crate) mod inner {
        pub(crate) use wasm_mt as renamed;
    }

    struct Box;
    struct Result;
    struct PhantomData;
    trait Marker {}
    trait Object {}

    macro_rules! trait_of {
        ($name:ident, $method:ident) => {
            /// Made by a macro.
            #[wasm_mt::remote_trait(crate = $crate::objects::forms::elsewhere::inner::renamed)]
            #[allow(non_camel_case_types, reason = "a trait may be called anything")]
            #[deprecated]
            pub(crate) trait $name {
                /// Is called.
                fn $method(&self) -> u8;
            }
        };
    }

    trait_of!(r#type, call);

    #[derive(Serialize, Deserialize)]
    pub(crate) struct Seven;

    #[allow(deprecated, reason = "the trait of the test")]
    impl r#type for Seven {
        fn call(&self) -> u8 {
            7
        }
    }

    #[cfg(any())]
    #[wasm_mt::remote_trait]
    trait Absent {}

    #[wasm_mt::remote_trait]
    #[cfg(any())]
    trait AbsentToo {}
}

remote_test! {
    async fn a_trait_may_have_supertraits() {
        #[remote_trait]
        trait Named: Debug + Display + Send {
            fn name(&self) -> String {
                format!("{self} {self:?}")
            }
        }
        #[derive(Debug, Serialize, Deserialize)]
        struct Ferris;
        impl Display for Ferris {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the crab")
            }
        }
        impl Named for Ferris {}

        let named: Box<dyn Named> = Box::new(Ferris);
        let named = on_worker(remote!(move || named)).await.unwrap();
        fn is_send<T: Send>(_: &T) {}
        is_send(&named);
        assert_eq!(named.name(), "the crab Ferris");
    }

    async fn a_remote_trait_may_be_a_supertrait() {
        #[remote_trait]
        trait Solid: Shape {
            fn volume(&self) -> f64;
        }
        impl Solid for Square {
            fn volume(&self) -> f64 {
                self.0.powi(3)
            }
        }
        let pair: (Box<dyn Solid>, Box<dyn Shape>) = (Box::new(Square(2.0)), Box::new(Square(3.0)));
        let (solid, shape) = on_worker(Remote::new(pair, |pair: (Box<dyn Solid>, Box<dyn Shape>)| pair)).await.unwrap();
        assert_eq!((solid.volume(), solid.area(), shape.area()), (8.0, 4.0, 9.0));
    }

    async fn a_trait_may_have_parameters() {
        #[remote_trait]
        pub(crate) trait Map<T: Copy, U: ?Sized = str, const N: usize = 2>
        where
            U: Debug,
            Self: Debug,
        {
            fn map(&self, values: [T; N]) -> [T; N];
            fn unit(&self) -> PhantomData<U> {
                PhantomData
            }
        }
        #[derive(Debug, Serialize, Deserialize)]
        struct Reverse;
        impl<T: Copy + 'static, const N: usize> Map<T, str, N> for Reverse {
            fn map(&self, mut values: [T; N]) -> [T; N] {
                values.reverse();
                values
            }
        }
        #[derive(Debug, Serialize, Deserialize)]
        struct Fill<T>(T);
        impl<T: Copy + Debug + Serialize + DeserializeOwned + 'static> Map<T> for Fill<T> {
            fn map(&self, _: [T; 2]) -> [T; 2] {
                [self.0; 2]
            }
        }
        let maps: Vec<Box<dyn Map<char>>> = vec![Box::new(Reverse), Box::new(Fill('x'))];
        let maps = on_worker(remote!(move || maps)).await.unwrap();
        assert_eq!(maps.iter().map(|map| map.map(['a', 'b'])).collect::<Vec<_>>(), [['b', 'a'], ['x', 'x']]);
        let other: Box<dyn Map<u8, str, 3>> = Box::new(Reverse);
        let (PhantomData::<str>, turned) = on_worker(remote!(move || (other.unit(), other.map([1, 2, 3])))).await.unwrap();
        assert_eq!(turned, [3, 2, 1]);
    }

    async fn a_trait_may_have_what_objects_do_not() {
        #[remote_trait]
        trait Counter {
            type Step
            where
                Self: Sized;
            fn new() -> Self
            where
                Self: Sized;
            fn count<T: Into<u32>>(&self, by: T) -> u32
            where
                Self: Sized,
            {
                self.next() + by.into()
            }
            fn next(&self) -> u32;
        }
        #[derive(Serialize, Deserialize)]
        struct From(u32);
        impl Counter for From {
            type Step = u8;
            fn new() -> Self {
                From(1)
            }
            fn next(&self) -> u32 {
                self.0 + 1
            }
        }
        assert_eq!(From::new().count(2u8), 4);
        let counter: Box<dyn Counter> = Box::new(From::new());
        assert_eq!(on_worker(remote!(move || counter.next())).await.unwrap(), 2);
    }

    #[allow(deprecated, reason = "the trait of the test")]
    async fn a_trait_may_stand_where_names_are_taken() {
        let called: Box<dyn elsewhere::r#type> = Box::new(elsewhere::Seven);
        assert_eq!(on_worker(remote!(move || called.call())).await.unwrap(), 7);
    }

    async fn expressions_of_another_macro_stay_whole() {
        macro_rules! trait_of {
            ($value:expr, $length:expr, $body:block) => {
                #[remote_trait]
                trait Twice {
                    fn value(&self) -> i32 {
                        2 * $value
                    }
                    fn list(&self) -> [i32; 2 * $length] $body
                }
            };
        }
        trait_of!(1 + 2, 1 + 1, { [7; 4] });
        #[derive(Serialize, Deserialize)]
        struct Default;
        impl Twice for Default {}

        let twice: Box<dyn Twice> = Box::new(Default);
        assert_eq!(on_worker(remote!(move || (twice.value(), twice.list()))).await.unwrap(), (6, [7; 4]));
    }
}
