//! What makes the objects of a trait encodable.
//!
//! The trait keeps its tokens and gets one more supertrait. Beside it stand a marker, which the supertrait is about, and
//! the implementations. How they play together is told in `wasm_mt::__private::objects`.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{
    Error, GenericParam, Generics, Item, ItemTrait, Path, Result, Token, TraitItem, TraitItemType,
    WherePredicate, parse_quote,
};

/// What stands in the parentheses of the attribute: `crate = path`, or nothing.
pub(crate) struct TraitOptions {
    /// The path of wasm-mt.
    root: TokenStream,
}

impl Parse for TraitOptions {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let unknown = || input.error("the one option is the path of wasm-mt: `crate = path`");
        if input.is_empty() {
            return Ok(Self { root: quote!(::wasm_mt) });
        }
        if !input.peek(Token![crate]) {
            return Err(unknown());
        }
        input.parse::<Token![crate]>()?;
        input.parse::<Token![=]>()?;
        let root = Path::parse_mod_style(input)?.into_token_stream();
        input.parse::<Option<Token![,]>>()?;
        if input.is_empty() { Ok(Self { root }) } else { Err(unknown()) }
    }
}

/// Writes the trait, and what stands beside it.
///
/// # Errors
///
/// What is no trait, or one whose objects cannot be told by name.
pub(crate) fn remote_trait(options: &TraitOptions, item: Item) -> Result<TokenStream> {
    let Item::Trait(mut item) = item else {
        let message = "`#[remote_trait]` belongs on a trait; a struct or enum crosses as it is, with \
                       `#[derive(serde::Serialize, serde::Deserialize)]`";
        return Err(Error::new(Span::call_site(), message));
    };
    check(&item)?;

    let root = &options.root;
    let object = quote!(#root::__private::objects);
    let marker = format_ident!("__{}Object", item.ident, span = Span::call_site());
    let beside = beside(&item, &object, &marker.to_token_stream());

    let (_, arguments, _) = item.generics.split_for_impl();
    item.supertraits.push(parse_quote!(#object::Object<#marker #arguments>));
    item.colon_token.get_or_insert_default();
    Ok(quote!(#item #beside))
}

fn check(item: &ItemTrait) -> Result<()> {
    if let Some(lifetime) = item.generics.lifetimes().next() {
        let message = "an object crosses to another memory and borrows nothing: let the methods have the lifetime, \
                       `fn name<'a>(&'a self, ..)`, or remove it";
        return Err(Error::new_spanned(lifetime, message));
    }
    let named = item.items.iter().find_map(|item| match item {
        TraitItem::Type(named) if !is_for_sized(named) => Some(named),
        _ => None,
    });
    if let Some(named) = named {
        let before = if item.generics.params.is_empty() { "" } else { ".., " };
        let message = format!(
            "`Box<dyn {name}>` is no type as long as `{0}` is open: make it a parameter, `trait {name}<{before}{0}>`",
            named.ident,
            name = item.ident,
        );
        return Err(Error::new_spanned(named, message));
    }
    Ok(())
}

/// True if it has `where Self: Sized`: objects do not have it.
fn is_for_sized(named: &TraitItemType) -> bool {
    let predicates = named.generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    predicates.into_iter().any(|predicate| predicate.to_token_stream().to_string() == "Self : Sized")
}

/// The marker, and the implementations.
fn beside(item: &ItemTrait, object: &TokenStream, marker: &TokenStream) -> TokenStream {
    let visibility = &item.vis;
    // What the compiler says of the trait's objects is about the attribute, and no proposal to change the name.
    let mut name = item.ident.clone();
    name.set_span(Span::call_site());
    let conditions: Vec<_> = item.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();

    let generics = of_objects(&item.generics);
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let with_value = with(&generics, parse_quote!(__C: #name #arguments));
    let (parameters_and_value, ..) = with_value.split_for_impl();
    let with_input = with(&generics, parse_quote!('de));
    let (parameters_and_input, ..) = with_input.split_for_impl();

    let (declared, held) = declaration(&item.generics);
    let dynamic = quote!(dyn #name #arguments);
    quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(dead_code, non_camel_case_types, reason = "a type that is only named, after the trait")]
        #visibility struct #marker<#declared>(#object::PhantomData<(#held)>);

        #(#conditions)*
        #[allow(deprecated, reason = "the trait may be")]
        const _: () = {
            #[automatically_derived]
            impl #parameters #object::Marker for #marker #arguments #bounds {
                type Object = #dynamic;
            }

            #[automatically_derived]
            impl #parameters_and_value #object::Holds<__C> for #marker #arguments #bounds {
                fn hold(value: #object::Box<__C>) -> #object::Box<#dynamic> {
                    value
                }
            }

            #[automatically_derived]
            impl #parameters #object::Serialize for #dynamic #bounds {
                fn serialize<__S: #object::Serializer>(
                    &self,
                    serializer: __S,
                ) -> #object::Result<__S::Ok, __S::Error> {
                    #object::serialize::<#marker #arguments, Self, __S>(self, serializer)
                }
            }

            #[automatically_derived]
            impl #parameters_and_input #object::Deserialize<'de> for #object::Box<#dynamic> #bounds {
                fn deserialize<__D: #object::Deserializer<'de>>(
                    deserializer: __D,
                ) -> #object::Result<Self, __D::Error> {
                    #object::deserialize::<#marker #arguments, __D>(deserializer)
                }
            }
        };
    }
}

/// The generics of implementations for objects: without what is said of `Self`, and of types that borrow nothing.
fn of_objects(generics: &Generics) -> Generics {
    let mut generics = generics.clone();
    let owned: Vec<WherePredicate> = generics
        .type_params()
        .map(|parameter| &parameter.ident)
        .map(|name| parse_quote!(#name: 'static))
        .collect();
    let clause = generics.make_where_clause();
    let of_types = clause.predicates.iter().filter(|predicate| !names_self(predicate.to_token_stream()));
    clause.predicates = of_types.cloned().chain(owned).collect();
    generics
}

fn names_self(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(name) => name == "Self",
        TokenTree::Group(group) => names_self(group.stream()),
        _ => false,
    })
}

fn with(generics: &Generics, parameter: GenericParam) -> Generics {
    let mut generics = generics.clone();
    generics.params.push(parameter);
    generics
}

/// The parameters of the marker, which asks nothing of them, and the types by which it uses them.
fn declaration(generics: &Generics) -> (TokenStream, TokenStream) {
    let declared = generics.params.iter().map(|parameter| match parameter {
        GenericParam::Type(parameter) => {
            let name = &parameter.ident;
            quote!(#name: ?Sized,)
        }
        GenericParam::Const(parameter) => {
            let (name, kind) = (&parameter.ident, &parameter.ty);
            quote!(const #name: #kind,)
        }
        GenericParam::Lifetime(_) => quote!(#parameter,),
    });
    let held = generics.type_params().map(|parameter| {
        let name = &parameter.ident;
        quote!(*const #name,)
    });
    (declared.collect(), held.collect())
}
