//! The chapters of the guide in `docs/guide`, whose code is run by `cargo test --doc`.

macro_rules! chapters {
    ($($name:ident: $path:literal;)*) => {$(
        #[doc = include_str!(concat!("../docs/guide/", $path))]
        mod $name {}
    )*};
}

chapters! {
    introduction: "introduction.md";
    first_task: "first-task.md";
    executors: "executors.md";
    cost: "cost.md";
    data: "data.md";
    errors: "errors.md";
    cancellation: "cancellation.md";
    nested: "nested.md";
    channels: "channels.md";
    actors: "actors.md";
    dom: "dom.md";
    own_executor: "own-executor.md";
    testing: "testing.md";
    deployment: "deployment.md";
    performance: "performance.md";
    faq: "faq.md";
    how_it_works: "how-it-works.md";
}
