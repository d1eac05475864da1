use wasm_mt::remote_trait;

#[remote_trait]
trait Borrows<'a> {
    fn name(&self) -> &'a str;
}

#[remote_trait]
trait Source {
    type Item;

    fn next(&mut self) -> Self::Item;
}

#[remote_trait]
trait Same {
    fn is_same(&self, other: &Self) -> bool;
}

fn use_them(_: &dyn Borrows<'static>, _: &dyn Source<Item = u8>) {}

fn main() {}
