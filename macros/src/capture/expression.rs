//! Expressions and statements: where scopes begin and end.

use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, Expr, ExprCall, ExprClosure, ExprConst, ExprForLoop, ExprIf, ExprLet, ExprMatch,
    ExprMethodCall, ExprPath, ExprRepeat, ExprWhile, Ident, Item, Local, Macro, Path, Stmt, Type, UseTree,
};

use super::{Analysis, scan};

impl<'ast> Visit<'ast> for Analysis {
    fn visit_expr(&mut self, expression: &'ast Expr) {
        match expression {
            Expr::Verbatim(tokens) => scan::search(self, tokens.clone()),
            known => visit::visit_expr(self, known),
        }
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let (None, Some(name)) = (&path.qself, path.path.get_ident()) {
            self.used(name);
        }
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if !is_name(&call.func) {
            self.visit_expr(&call.func);
        }
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        self.visit_expr(&call.receiver);
        call.args.iter().for_each(|argument| self.visit_expr(argument));
    }

    fn visit_expr_repeat(&mut self, repeat: &'ast ExprRepeat) {
        // The length is a constant.
        self.visit_expr(&repeat.expr);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_call_of_macro(call);
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.scope(|this| this.visit_statements(&block.stmts));
    }

    fn visit_local(&mut self, local: &'ast Local) {
        if let Some(init) = &local.init {
            self.visit_expr(&init.expr);
            if let Some((_, diverge)) = &init.diverge {
                self.visit_expr(diverge);
            }
        }
        self.bind_pattern(&local.pat);
    }

    fn visit_expr_let(&mut self, expression: &'ast ExprLet) {
        // It binds to the end of the condition and the block behind it, which `if`, `while` and guards put in a scope.
        self.visit_expr(&expression.expr);
        self.bind_pattern(&expression.pat);
    }

    fn visit_expr_if(&mut self, expression: &'ast ExprIf) {
        self.scope(|this| {
            this.visit_expr(&expression.cond);
            this.visit_block(&expression.then_branch);
        });
        if let Some((_, otherwise)) = &expression.else_branch {
            self.visit_expr(otherwise);
        }
    }

    fn visit_expr_while(&mut self, expression: &'ast ExprWhile) {
        self.scope(|this| {
            this.visit_expr(&expression.cond);
            this.visit_block(&expression.body);
        });
    }

    fn visit_expr_for_loop(&mut self, expression: &'ast ExprForLoop) {
        self.visit_expr(&expression.expr);
        self.scope(|this| {
            this.bind_pattern(&expression.pat);
            this.visit_block(&expression.body);
        });
    }

    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        self.visit_expr(&expression.expr);
        for arm in &expression.arms {
            self.scope(|this| {
                this.bind_pattern(&arm.pat);
                this.visit_expr(&arm.body);
            });
        }
    }

    fn visit_expr_closure(&mut self, closure: &'ast ExprClosure) {
        self.scope(|this| {
            closure.inputs.iter().for_each(|parameter| this.bind_pattern(parameter));
            this.visit_expr(&closure.body);
        });
    }

    // These cannot use variables: items and constants are worlds of their own, types and paths have no values in them.
    fn visit_item(&mut self, _: &'ast Item) {}
    fn visit_expr_const(&mut self, _: &'ast ExprConst) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_path(&mut self, _: &'ast Path) {}
    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

impl Analysis {
    /// Walks the statements of one block. Its items are known in all of it, also before their place.
    pub(super) fn visit_statements(&mut self, statements: &[Stmt]) {
        for statement in statements {
            if let Stmt::Item(item) = statement {
                self.bind_item(item);
            }
        }
        statements.iter().for_each(|statement| self.visit_stmt(statement));
    }

    /// Items with names that look like variables: functions, and whatever `use` brings.
    fn bind_item(&mut self, item: &Item) {
        match item {
            Item::Fn(function) => self.bind(&function.sig.ident),
            Item::Use(import) => self.bind_import(&import.tree),
            Item::Const(constant) => self.bind(&constant.ident),
            Item::Static(variable) => self.bind(&variable.ident),
            Item::Struct(structure) => self.bind(&structure.ident),
            _ => {}
        }
    }

    fn bind_import(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.bind_import(&path.tree),
            UseTree::Name(name) => self.bind(&name.ident),
            UseTree::Rename(rename) => self.bind(&rename.rename),
            UseTree::Group(group) => group.items.iter().for_each(|item| self.bind_import(item)),
            _ => {}
        }
    }
}

/// True for a name alone, also in parentheses.
fn is_name(expression: &Expr) -> bool {
    match expression {
        Expr::Group(group) => is_name(&group.expr),
        Expr::Paren(paren) => is_name(&paren.expr),
        Expr::Path(path) => path.path.get_ident().is_some_and(|name: &Ident| name != "self"),
        _ => false,
    }
}
