//! Types of other crates, as programs have them: each crosses as it is, or is refused with a cure that can be followed.

use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;

use worker::{Worker, assert_refused};

#[path = "../it/codec/worker.rs"]
mod worker;

/// A value with parts of its own on both sides, so that whatever is read too far or not far enough shows.
async fn crosses<T>(worker: &Worker, value: T)
where
    T: Serialize + DeserializeOwned + Debug + Clone + PartialEq + 'static,
{
    let many = (1_u8, vec![Some(value.clone()), None, Some(value.clone())], "behind".to_owned());
    worker.survives(many).await;
    worker.survives(value).await;
}

/// Each of these values crosses.
macro_rules! cross {
    ($($value:expr),* $(,)?) => {
        wasm_mt::run(async move {
            let worker = Worker::new();
            $(crosses(&worker, $value).await;)*
        })
    };
}

#[test]
fn types_of_nalgebra_cross() {
    use nalgebra::{
        DMatrix, DVector, Isometry3, Matrix2x3, Matrix3, Matrix4, Perspective3, Point3, Quaternion,
        Rotation3, Similarity2, Translation3, Unit, UnitQuaternion, Vector2, Vector3,
    };

    let turn = UnitQuaternion::from_quaternion(Quaternion::new(0.5, 0.5, 0.5, 0.5));
    cross!(
        Vector2::new(1_u8, 2),
        Vector3::new(1.0_f32, 2.0, 3.0),
        Matrix3::new(1, 2, 3, 4, 5, 6, 7, 8, 9),
        Matrix2x3::new(1.0, 2.0, 3.0, 4.0, 5.0, 6.0),
        Matrix4::<f64>::identity(),
        Point3::new(1.0, 2.0, 3.0),
        Unit::new_unchecked(Vector3::<f64>::x()),
        turn,
        Rotation3::<f64>::identity(),
        Isometry3::from_parts(Translation3::new(1.0, 2.0, 3.0), turn),
        Similarity2::<f32>::identity(),
        Perspective3::new(1.5, 1.0, 0.1, 10.0),
        DVector::from_vec(vec![1.0, 2.0]),
        DMatrix::from_vec(2, 3, vec![1, 2, 3, 4, 5, 6]),
    );
}

#[test]
fn types_of_mathematics_cross() {
    use geo_types::{Coord, Geometry, LineString, Point, Polygon};
    use glam::{DQuat, Mat3, Mat4, Quat, UVec4, Vec2, Vec3, Vec3A};
    use ndarray::{Array1, Array2, arr2};
    use ordered_float::{NotNan, OrderedFloat};

    let ring = LineString::from(vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]);
    let polygon = Polygon::new(ring.clone(), vec![]);
    cross!(
        (Vec2::ONE, Vec3::new(1.0, 2.0, 3.0), Vec3A::X, UVec4::MAX),
        (Mat3::IDENTITY, Mat4::from_scale(Vec3::ONE), Quat::IDENTITY, DQuat::IDENTITY),
        Array1::from_vec(vec![1, 2, 3]),
        Array2::<f64>::zeros((0, 2)),
        arr2(&[[1, 2], [3, 4]]),
        (OrderedFloat(f64::NAN), NotNan::new(1.5_f32).unwrap()),
        (Point::new(1.0, 2.0), Coord { x: 1, y: 2 }),
        vec![Geometry::from(polygon), Geometry::from(ring), Geometry::from(Point::new(0.5, 0.5))],
    );
}

#[test]
fn types_of_time_cross() {
    use chrono::{DateTime, Month, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc, Weekday};
    use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

    let day = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap();
    let moment = day.and_hms_nano_opt(23, 59, 59, 999_999_999).unwrap();
    let date = Date::from_ordinal_date(2024, 60).unwrap();
    cross!(
        (day, moment.time(), moment, moment.and_utc()),
        (NaiveDateTime::MIN, NaiveTime::MIN, DateTime::<Utc>::MAX_UTC),
        moment.and_utc().fixed_offset(),
        (Weekday::Sun, Month::December, TimeDelta::nanoseconds(-1)),
        (date, Time::MIDNIGHT, PrimitiveDateTime::new(date, Time::MIDNIGHT)),
        (OffsetDateTime::UNIX_EPOCH, UtcOffset::UTC, Duration::MIN),
        (time::Weekday::Monday, time::Month::May),
    );
}

bitflags::bitflags! {
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Flags: u32 {
        const FIRST = 1;
        const LAST = 1 << 31;
    }
}

// What the macro makes has no `Serialize`, but offers one.
impl Serialize for Flags {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        bitflags::serde::serialize(self, serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Flags {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bitflags::serde::deserialize(deserializer)
    }
}

#[test]
fn names_numbers_and_collections_cross() {
    use std::hash::RandomState;

    use arrayvec::{ArrayString, ArrayVec};
    use bytes::{Bytes, BytesMut};
    use either::Either;
    use indexmap::{IndexMap, IndexSet};
    use semver::{Version, VersionReq};
    use smallvec::{SmallVec, smallvec};
    use url::{Host, Url};
    use uuid::Uuid;

    let some: SmallVec<[u16; 2]> = smallvec![1, 2];
    let more: SmallVec<[u16; 2]> = smallvec![1, 2, 3];
    cross!(
        (Uuid::from_u128(0x1234_5678_9abc_def0), Uuid::nil(), Uuid::max()),
        (Version::parse("1.2.3-rc.1+build").unwrap(), VersionReq::parse(">=1.2, <2").unwrap()),
        Url::parse("https://example.com/a?b=c#d").unwrap(),
        vec![Host::Domain("example.com".to_owned()), Host::Ipv4([127, 0, 0, 1].into())],
        (Bytes::from_static(b"\0\xff"), BytesMut::from(&b"abc"[..]), Bytes::new()),
        IndexMap::<_, _, RandomState>::from_iter([("b".to_owned(), 1), ("a".to_owned(), 2)]),
        IndexSet::<_, RandomState>::from_iter([3, 1, 2]),
        vec![some, more, SmallVec::new()],
        (ArrayVec::<u8, 4>::from_iter([1, 2]), ArrayString::<8>::from("text").unwrap()),
        vec![Either::Left(1_u8), Either::Right("right".to_owned())],
        vec![Flags::empty(), Flags::LAST, Flags::all()],
    );
}

#[test]
fn pictures_cross_as_their_pixels() {
    use image::{ImageFormat, Rgba, RgbaImage, imageops::FilterType};
    use wasm_mt::{Remote, Thread, Transfer};

    cross!((ImageFormat::Png, ImageFormat::WebP), vec![FilterType::Nearest, FilterType::Lanczos3]);
    // A picture is no serde value. Its pixels are moved.
    let picture = RgbaImage::from_fn(3, 2, |x, y| Rgba([x as u8, y as u8, 3, 255]));
    let (width, height) = picture.dimensions();
    let flip =
        Remote::new((width, height, Transfer(picture.clone().into_raw())), |(width, height, pixels)| {
            let Transfer(pixels) = pixels;
            let picture = RgbaImage::from_raw(width, height, pixels).unwrap();
            Transfer(image::imageops::flip_horizontal(&picture).into_raw())
        });
    wasm_mt::run(async move {
        let Transfer(pixels) = Thread::new().spawn_remote(flip).await.unwrap();
        let flipped = RgbaImage::from_raw(width, height, pixels).unwrap();
        assert_eq!(image::imageops::flip_horizontal(&flipped), picture);
        assert_ne!(flipped, picture);
    });
}

#[test]
fn types_that_ask_what_comes_next_are_refused_with_their_cure() {
    wasm_mt::run(async {
        let worker = Worker::new();
        // Its features give it other ways, by `#[serde(with = "..")]` too.
        let decimal = rust_decimal::Decimal::new(12345, 2);
        assert_refused(worker.echo(decimal).await, &["rust_decimal", "asks what comes next", "String"]);
        worker.survives(decimal.to_string()).await;
    });
}
