//! Patterns: the names that they bind.

use syn::{Pat, visit::Visit};

use super::{Analysis, is_constant, scan};

impl Analysis {
    /// Binds the names of `pattern` in the present scope, and walks its guard.
    pub(super) fn bind_pattern(&mut self, pattern: &Pat) {
        match pattern {
            Pat::Ident(binding) => {
                // `None` and `MAX` look like bindings, too.
                if !is_constant(&binding.ident) {
                    self.bind(&binding.ident);
                }
                if let Some((_, inner)) = &binding.subpat {
                    self.bind_pattern(inner);
                }
            }
            Pat::Guard(guarded) => {
                self.bind_pattern(&guarded.pat);
                self.visit_expr(&guarded.guard);
            }
            Pat::Or(or) => or.cases.iter().for_each(|case| self.bind_pattern(case)),
            Pat::Paren(paren) => self.bind_pattern(&paren.pat),
            Pat::Reference(reference) => self.bind_pattern(&reference.pat),
            Pat::Slice(slice) => slice.elems.iter().for_each(|element| self.bind_pattern(element)),
            Pat::Struct(fields) => fields.fields.iter().for_each(|field| self.bind_pattern(&field.pat)),
            Pat::Tuple(tuple) => tuple.elems.iter().for_each(|element| self.bind_pattern(element)),
            Pat::TupleStruct(tuple) => tuple.elems.iter().for_each(|element| self.bind_pattern(element)),
            Pat::Type(typed) => self.bind_pattern(&typed.pat),
            // A macro can only bind names that are passed to it.
            Pat::Macro(call) => scan::bind_all(self, call.mac.tokens.clone()),
            Pat::Verbatim(tokens) => scan::bind_all(self, tokens.clone()),
            // Constants, literals and ranges of them, `_` and `..` bind nothing, and cannot use variables.
            _ => {}
        }
    }
}
