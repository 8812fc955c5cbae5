//! What a route says in the OpenAPI document.

use brevet_wire as wire;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder};
use utoipa::{IntoParams, ToSchema};

use super::route::Permission;

/// A schema and its name.
type Named = (String, RefOr<Schema>);

/// One operation in the making.
pub(super) struct Operation {
    name: &'static str,
    summary: &'static str,
    description: Option<&'static str>,
    query: Vec<Parameter>,
    body: Option<RefOr<Schema>>,
    answers: Vec<Says>,
    schemas: Vec<Named>,
}

struct Says {
    status: u16,
    what: &'static str,
    content: Vec<(&'static str, Option<RefOr<Schema>>)>,
}

const JSON: &str = "application/json";

/// Begins an operation: its name for generated clients, and what it does.
pub(super) fn operation(name: &'static str, summary: &'static str) -> Operation {
    Operation {
        name,
        summary,
        description: None,
        query: Vec::new(),
        body: None,
        answers: Vec::new(),
        schemas: Vec::new(),
    }
}

impl Operation {
    /// What else is to be known.
    pub(super) const fn note(mut self, description: &'static str) -> Self {
        self.description = Some(description);
        self
    }

    pub(super) fn query<T: IntoParams>(mut self) -> Self {
        self.query = T::into_params(|| Some(ParameterIn::Query));
        self
    }

    pub(super) fn takes<T: ToSchema>(mut self) -> Self {
        self.body = Some(self.schema::<T>());
        self
    }

    pub(super) fn shows<T: ToSchema>(self, what: &'static str) -> Self {
        self.answers::<T>(200, what)
    }

    pub(super) fn creates<T: ToSchema>(self, what: &'static str) -> Self {
        self.answers::<T>(201, what)
    }

    fn answers<T: ToSchema>(mut self, status: u16, what: &'static str) -> Self {
        let schema = self.schema::<T>();
        self.answers.push(Says { status, what, content: vec![(JSON, Some(schema))] });
        self
    }

    /// One page of a list.
    pub(super) fn lists<T: ToSchema>(mut self, what: &'static str) -> Self {
        let items = ArrayBuilder::new().items(self.schema::<T>());
        let next = ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
            .description(Some("Give it as `cursor` to have the next page; `null` on the last one."));
        let page = ObjectBuilder::new()
            .property("items", items)
            .property("next", next)
            .required("items")
            .required("next");
        let name = format!("{}List", T::name());
        self.schemas.push((name.clone(), page.into()));
        let content = vec![(JSON, Some(Ref::from_schema_name(name).into()))];
        self.answers.push(Says { status: 200, what, content });
        self
    }

    /// Another kind of answer, besides or instead of JSON.
    pub(super) fn also(mut self, kind: &'static str) -> Self {
        if let Some(last) = self.answers.last_mut() {
            last.content.push((kind, None));
        }
        self
    }

    pub(super) fn gives(mut self, status: u16, what: &'static str, kind: &'static str) -> Self {
        self.answers.push(Says { status, what, content: vec![(kind, None)] });
        self
    }

    pub(super) fn removes(mut self) -> Self {
        self.answers.push(Says {
            status: 204,
            what: "Done; nothing is left to be seen.",
            content: Vec::new(),
        });
        self
    }

    pub(super) fn takes_query(&self) -> bool {
        !self.query.is_empty()
    }

    fn schema<T: ToSchema>(&mut self) -> RefOr<Schema> {
        T::schemas(&mut self.schemas);
        self.schemas.push((T::name().into_owned(), T::schema()));
        Ref::from_schema_name(T::name()).into()
    }

    /// The operation as it is written, and the schemas that it names.
    pub(super) fn build(
        mut self,
        path: &str,
        permission: Permission,
    ) -> (utoipa::openapi::path::Operation, Vec<Named>) {
        let problem = self.schema::<wire::Problem>();
        let Self { name, summary, description, query, body, answers, schemas } = self;
        let mut built = OperationBuilder::new()
            .operation_id(Some(name))
            .summary(Some(summary))
            .description(description)
            .extensions(Some(ExtensionsBuilder::new().add("x-permission", permission.name()).build()));
        if permission != Permission::Public {
            built = built.security(SecurityRequirement::new::<_, [&str; 0], &str>("token", []));
        }
        for parameter in variables(path).map(of_path).chain(query) {
            built = built.parameter(parameter);
        }
        if let Some(schema) = body {
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let body =
                RequestBodyBuilder::new().content(JSON, content).required(Some(Required::True)).build();
            built = built.request_body(Some(body)).parameter(idempotency_key());
        }
        for Says { status, what, content } in answers {
            let mut response = ResponseBuilder::new().description(what);
            for (kind, schema) in content {
                response = response.content(kind, ContentBuilder::new().schema(schema).build());
            }
            built = built.response(status.to_string(), response.build());
        }
        let content = ContentBuilder::new().schema(Some(problem)).build();
        let refused = ResponseBuilder::new().description("Refused or failed, and why.");
        let refused = refused.content("application/problem+json", content).build();
        (built.response("default", refused).build(), schemas)
    }
}

fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
}

fn of_path(name: &str) -> Parameter {
    let what = match name {
        "user" | "group" => "Its name or its id.",
        "scope" => "The workload.",
        "name" => "The name within the workload.",
        "index" => "The place in the ledger, from 0.",
        "path" => {
            "Below `/ledger/`, for example `checkpoint` or `tile/0/x001/234`; the slashes stand as they are."
        }
        _ => "Its id, for example `req-42`; the bare number will do.",
    };
    let text = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(what))
        .schema(Some(text))
        .build()
}

fn idempotency_key() -> Parameter {
    let text = ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).max_length(Some(128));
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "A random name for this very thing: sent again with the same key within 24 h, it is not done again. \
             Not looked at where nobody is signed in yet.",
        ))
        .schema(Some(text))
        .build()
}
