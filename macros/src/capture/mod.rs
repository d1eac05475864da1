//! Which variables does a task take with it?
//!
//! The compiler knows the answer, but a macro runs before names are resolved. So this module resolves them itself: it
//! walks the syntax of the closure with a stack of scopes, and what is used but bound in none of them comes from
//! outside. That would be a capture, or a function, a constant, a static. Syntax cannot tell these apart; Rust's naming
//! rules can, nearly always:
//!
//! | written | taken for |
//! | --- | --- |
//! | `name`, `name.field`, `name.method()`, `name[i]`, `&name` | a capture |
//! | `name(..)` | a function: closures cannot be captured anyway |
//! | `Name`, `NAME`, `_NAME` | a constant, static, unit struct or variant |
//! | `self::name`, `Type::name`, `name::<T>` | a path: no variable is named like this |
//! | `self` | an error: the task needs a name for what it uses of it |
//!
//! A wrong guess never goes unnoticed. What is taken for a capture but is none (a function passed by its bare name)
//! fails at its probe in the expansion, which tells the cure; what is a capture but was missed leaves a closure that
//! captures, which is no `fn` pointer, and the compiler's own error names the variable. The explicit list
//! `remote!([a, b] move || ..)` is there for the rest.
//!
//! A capture is a whole variable, also where a closure would capture one field of it.
//!
//! # Macros in the body
//!
//! They are not expanded yet, so their arguments are tokens ([`arguments`]). Known grammars are followed (`matches!`,
//! `select!`, an inner `remote!`), format strings are read for `{name}` ([`format`]), and what the standard library's
//! macros do not look at (`stringify!`, `cfg!`) is skipped. The arguments of any other macro are parsed as expressions
//! or statements, and if they are neither, their tokens are searched with care ([`scan`]).
//!
//! # Hygiene
//!
//! Two identifiers of one name are two variables if they come from different macros. The analysis keeps them apart by
//! [`Name`], and the expansion uses an identifier of the body itself, so that both ends of a capture are the same variable.

mod arguments;
mod expression;
mod format;
mod pattern;
mod scan;

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{Error, Result};

use crate::grammar::{Code, Task};

/// The variables that `code` uses and does not bind, in the order of their first use.
///
/// # Errors
///
/// One error for each use of `self`.
pub(crate) fn find(code: &Code) -> Result<Vec<Ident>> {
    let mut analysis = Analysis::default();
    analysis.visit_code(code);
    match analysis.error {
        Some(error) => Err(error),
        None => Ok(analysis.captures),
    }
}

/// What makes two identifiers the same variable: the name, and the macro that wrote it.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Name {
    text: String,
    context: String,
}

impl From<&Ident> for Name {
    fn from(ident: &Ident) -> Self {
        // The syntax context has no stable interface, but the compiler prints it: `#7 bytes(120..125)`. Where it is not
        // printed, names alone decide, which only merges variables that hygiene would keep apart.
        let span = format!("{:?}", ident.span());
        let context = match span.split_once(' ') {
            Some((context, _)) if context.starts_with('#') => context.to_owned(),
            _ => String::new(),
        };
        Self { text: ident.unraw().to_string(), context }
    }
}

/// The walk: scopes on the way down, captures found so far.
#[derive(Default)]
struct Analysis {
    scopes: Vec<HashSet<Name>>,
    captures: Vec<Ident>,
    found: HashSet<Name>,
    error: Option<Error>,
}

impl Analysis {
    fn visit_code(&mut self, code: &Code) {
        match code {
            Code::Closure(closure) => self.visit_expr_closure(closure),
            Code::Block(block) => self.visit_expr_async(block),
        }
    }

    /// A task within the task: what it captures, it captures from here.
    fn visit_task(&mut self, task: &Task) {
        match &task.captures {
            None => self.visit_code(&task.code),
            Some(captures) => {
                for capture in captures {
                    match &capture.value {
                        Some(value) => self.visit_expr(value),
                        None => self.used(&capture.name),
                    }
                }
            }
        }
    }

    /// Runs `walk` in a scope of its own.
    fn scope(&mut self, walk: impl FnOnce(&mut Self)) {
        self.scopes.push(HashSet::new());
        walk(self);
        self.scopes.pop();
    }

    /// `ident` is bound from here to the end of the scope.
    fn bind(&mut self, ident: &Ident) {
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(Name::from(ident));
        }
    }

    /// `ident` stands where a variable may stand.
    fn used(&mut self, ident: &Ident) {
        if ident == "self" {
            let message = "a task cannot capture `self`: bind what it uses of it before, `let value = self.value.clone();`";
            let error = Error::new(ident.span(), message);
            match &mut self.error {
                Some(errors) => errors.combine(error),
                none => *none = Some(error),
            }
            return;
        }
        if is_constant(ident) {
            return;
        }
        let name = Name::from(ident);
        if self.scopes.iter().any(|scope| scope.contains(&name)) {
            return;
        }
        if self.found.insert(name) {
            self.captures.push(ident.clone());
        }
    }
}

/// True for the names of constants, statics, unit structs and variants, as Rust programs write them.
fn is_constant(ident: &Ident) -> bool {
    ident.unraw().to_string().trim_start_matches('_').starts_with(char::is_uppercase)
}

#[cfg(test)]
mod tests;
