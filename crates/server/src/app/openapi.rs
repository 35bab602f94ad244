//! The OpenAPI 3.1 document, made from the list of routes. `docs/reference/openapi.json` is the same.
use super::{
    PREFIX,
    answer::TOTAL,
    guard::{Access, CSRF_HEADER},
    problem::Problem,
    reports::{Kind, Parameter},
    routes::{Answer, Route, Shape, routes},
};
use axum::{Json, http::Method};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, KnownFormat, OpenApi, OpenApiBuilder, PathItem,
        PathsBuilder, Ref, RefOr, Required, ResponseBuilder, SchemaFormat, SecurityRequirement,
        path::{HttpMethod, OperationBuilder, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, SchemaType, Type},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// The document.
pub fn document() -> OpenApi {
    let routes = routes();
    let mut components = ComponentsBuilder::new().schema(Problem::name(), Problem::schema());
    let mut problem_parts = vec![];
    Problem::schemas(&mut problem_parts);
    let answers = routes.iter().filter_map(|route| match &route.answer.1 {
        Answer::One(shape) | Answer::Many(shape) | Answer::Report(shape) => Some(shape),
        Answer::Nothing | Answer::Document | Answer::Stream => None,
    });
    let parts = answers.chain(routes.iter().filter_map(|route| route.body.as_ref())).flat_map(|shape| &shape.parts);
    for (name, schema) in problem_parts.iter().chain(parts) {
        components = components.schema(name, schema.clone());
    }
    let about =
        format!("A browser's login. Changes must repeat `csrf` of GET {PREFIX}/session in the header {CSRF_HEADER}.");
    let cookie = ApiKeyValue::with_description(super::guard::COOKIE, &about);
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("A token of POST /tokens.")).build();
    let components =
        components.security_scheme("cookie", cookie).security_scheme("token", SecurityScheme::Http(token)).build();
    let mut paths = PathsBuilder::new();
    for route in &routes {
        paths = paths.path(format!("{PREFIX}{}", route.path), PathItem::new(method(&route.method), operation(route)));
    }
    let info = InfoBuilder::new()
        .title("Safar")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("What the screens of Safar ask, for other programs too."))
        .build();
    OpenApiBuilder::new().info(info).paths(paths).components(Some(components)).build()
}

/// `GET /openapi.json`
pub async fn show() -> Json<OpenApi> {
    Json(document())
}

fn method(method: &Method) -> HttpMethod {
    match method.as_str() {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn operation(route: &Route) -> OperationBuilder {
    let (text, security) = match route.access {
        Access::Public => ("Open to everybody.".to_owned(), vec![SecurityRequirement::default()]),
        Access::Role(role) => (
            format!("Needs the role {}.", role.name()),
            ["cookie", "token"].map(|name| SecurityRequirement::new(name, [] as [&str; 0])).to_vec(),
        ),
    };
    let words = route.path.split(['/', '-', '{', '}', '.']).filter(|word| !word.is_empty());
    let id = words.fold(route.method.as_str().to_lowercase(), |id, word| format!("{id}_{word}"));
    let tag = route.path.split('/').nth(1).unwrap_or_default().trim_end_matches(".json");
    let mut operation = OperationBuilder::new()
        .operation_id(Some(id))
        .tag(tag)
        .summary(Some(route.about))
        .description(Some(text))
        .securities(Some(security));
    if route.path.contains("{id}") {
        let number = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
        let parameter = ParameterBuilder::new().name("id").parameter_in(ParameterIn::Path).required(Required::True);
        operation = operation.parameter(parameter.schema(Some(number)));
    }
    for parameter in route.parameters.iter().copied().flatten() {
        operation = operation.parameter(query(parameter));
    }
    if let Some(body) = &route.body {
        let content = ContentBuilder::new().schema(Some(reference(body))).build();
        let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True));
        operation = operation.request_body(Some(body.build()));
    }
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    let problem = ResponseBuilder::new().description("A problem").content("application/problem+json", problem);
    let mut done = answer(&route.answer.1);
    if matches!(route.answer.1, Answer::Many(_)) && !route.parameters.is_empty() {
        let number = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
        let total = HeaderBuilder::new().schema(Some(number)).description(Some("How many rows the whole list has."));
        done = done.header(TOTAL, total.build());
    }
    operation.response(route.answer.0.to_string(), done).response("default", problem)
}

fn answer(answer: &Answer) -> ResponseBuilder {
    let json = |schema: RefOr<Schema>| ContentBuilder::new().schema(Some(schema)).build();
    let described = |text: &str| ResponseBuilder::new().description(text);
    match answer {
        Answer::Nothing => described("Done"),
        Answer::One(shape) => described("Done").content("application/json", json(reference(shape))),
        Answer::Many(shape) => {
            let list = ArrayBuilder::new().items(reference(shape));
            described("Done").content("application/json", json(list.into()))
        }
        Answer::Report(shape) => described("A page, or the whole table in the format asked for")
            .content("application/json", json(reference(shape)))
            .content("text/csv", json(bytes()))
            .content("application/vnd.apache.parquet", json(bytes()))
            .content("application/vnd.apache.arrow.file", json(bytes())),
        Answer::Document => described("The document").content("application/json", json(ObjectBuilder::new().into())),
        Answer::Stream => described("Events, as they come").content("text/event-stream", json(bytes())),
    }
}

fn bytes() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).into()
}

fn reference(shape: &Shape) -> RefOr<Schema> {
    Ref::from_schema_name(&shape.name).into()
}

fn query(parameter: &Parameter) -> ParameterBuilder {
    let of = |kind: Type| ObjectBuilder::new().schema_type(SchemaType::Type(kind));
    let needed = matches!(parameter.kind, Kind::Needed | Kind::Model);
    let schema: RefOr<Schema> = match parameter.kind {
        Kind::Text | Kind::Needed | Kind::Condition | Kind::Model | Kind::Step => of(Type::String).into(),
        Kind::Day => {
            let day = SchemaFormat::KnownFormat(KnownFormat::Date);
            // An empty value is as good as none.
            let none = of(Type::String).max_length(Some(0));
            AnyOfBuilder::new().item(of(Type::String).format(Some(day))).item(none).into()
        }
        Kind::Models | Kind::Steps | Kind::Within => ArrayBuilder::new().items(of(Type::String)).into(),
        Kind::Choice(words) => of(Type::String)
            .enum_values(Some(words.iter().copied()))
            .default(words.first().map(|word| Value::from(*word)))
            .into(),
        Kind::Flag => of(Type::Boolean).default(Some(false.into())).into(),
        Kind::Whole(default, least, most) => {
            let whole = of(Type::Integer).default(Some(default.into())).minimum(Some(least as f64));
            // The largest number of the type is no limit that anybody set.
            if most == u64::MAX { whole.into() } else { whole.maximum(Some(most as f64)).into() }
        }
        Kind::Part(default) => of(Type::Number).default(Some(default.into())).into(),
    };
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .required(if needed { Required::True } else { Required::False })
        .description(Some(parameter.about))
        .schema(Some(schema))
}
