//! Serde's attributes that both sides agree on.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasm_mt::Remote;

use super::Worker;
use crate::common::on_worker;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Skips {
    before: u8,
    #[serde(skip)]
    n: u32,
    after: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct SkipsWithDefault {
    #[serde(skip, default = "nine")]
    n: u8,
    after: u8,
}

fn nine() -> u8 {
    9
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct TupleSkips(u8, #[serde(skip)] u8, String);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum EnumSkips {
    First(#[serde(skip)] u8),
    Second(u8, #[serde(skip)] u8),
    Third {
        #[serde(skip)]
        hidden: u8,
        shown: u8,
    },
    #[serde(skip)]
    Last,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename = "other name", rename_all = "SCREAMING-KEBAB-CASE", deny_unknown_fields)]
struct Renamed {
    first_field: u8,
    #[serde(rename = "")]
    second_field: u8,
    #[serde(alias = "an_alias", alias = "zz")]
    third_field: u8,
    #[serde(default)]
    fourth_field: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RenamedVariants {
    FirstVariant,
    #[serde(alias = "a", alias = "zz")]
    SecondVariant(u8),
    #[serde(rename = "3", rename_all = "camelCase")]
    ThirdVariant {
        #[serde(alias = "b")]
        some_field: u8,
    },
    #[serde(other)]
    Other,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
struct Transparent {
    inner: BTreeMap<u8, String>,
    #[serde(skip)]
    nothing: (),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "(u8, u8)", into = "(u8, u8)")]
struct Converted {
    sum: u8,
}

impl From<(u8, u8)> for Converted {
    fn from((a, b): (u8, u8)) -> Self {
        Converted { sum: a + b }
    }
}

impl From<Converted> for (u8, u8) {
    fn from(converted: Converted) -> Self {
        (converted.sum, 0)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct With {
    #[serde(with = "as_text")]
    number: u64,
    #[serde(bound = "", default)]
    rest: Option<Box<With>>,
}

mod as_text {
    use super::*;

    pub(super) fn serialize<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(number)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

remote_test! {
    async fn a_skipped_field_has_its_default_in_the_task() {
        let skips = Skips { before: 1, n: 7, after: "a".into() };
        let (n, back) = on_worker(Remote::new(skips, |mut skips: Skips| {
            let n = skips.n;
            skips.n = 8;
            (n, skips)
        })).await.unwrap();
        assert_eq!(n, 0);
        assert_eq!(back, Skips { before: 1, n: 0, after: "a".into() });

        let n = on_worker(Remote::new(SkipsWithDefault { n: 7, after: 1 }, |s: SkipsWithDefault| s.n));
        assert_eq!(n.await.unwrap(), 9);
        let back = on_worker(Remote::new(TupleSkips(1, 7, "a".into()), |skips: TupleSkips| skips));
        assert_eq!(back.await.unwrap(), TupleSkips(1, 0, "a".into()));
    }

    async fn a_skipped_field_of_a_variant_has_its_default() {
        let variants = vec![EnumSkips::First(7), EnumSkips::Second(1, 7), EnumSkips::Third { hidden: 7, shown: 2 }];
        let back = on_worker(Remote::new(variants, |variants: Vec<EnumSkips>| variants)).await.unwrap();
        assert_eq!(back, [EnumSkips::First(0), EnumSkips::Second(1, 0), EnumSkips::Third { hidden: 0, shown: 2 }]);
        let refused = on_worker(Remote::new(EnumSkips::Last, |_: EnumSkips| ())).await;
        super::assert_refused(refused, &["EnumSkips", "Last"]);
    }

    async fn names_and_aliases_do_not_matter() {
        let worker = Worker::new();
        worker.survives(Renamed { first_field: 1, second_field: 2, third_field: 3, fourth_field: Some(4) }).await;
        worker.survives(vec![
            RenamedVariants::FirstVariant,
            RenamedVariants::SecondVariant(1),
            RenamedVariants::ThirdVariant { some_field: 2 },
            RenamedVariants::Other,
        ]).await;
    }

    async fn conversions_are_followed() {
        let worker = Worker::new();
        worker.survives(Transparent { inner: BTreeMap::from([(1, "a".into())]), nothing: () }).await;
        worker.survives(Converted { sum: 3 }).await;
        let rest = Some(Box::new(With { number: 0, rest: None }));
        worker.survives(With { number: u64::MAX, rest }).await;
    }
}
