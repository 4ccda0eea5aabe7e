//! `/openapi.json`: what this API is, made from its types.

use std::sync::LazyLock;

use axum::routing::get;
use axum::{Json, Router};
use schemars::generate::SchemaSettings;
use serde_json::Value;
use utoipa::openapi::path::Operation as Call;
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, Response};
use utoipa::{Modify, OpenApi, PartialSchema, ToSchema};

use super::failure::ErrorBody;
use super::{
    analysis, events, exports, files, health, images, induction, metrics, trigger, videos, webhook,
};

/// The document, but for the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Flatbed",
        description = "Exports of videos: cut, transcoded, watermarked, thumbnailed. Images to WebP. Clips of cameras. People to the gates.",
    ),
    servers((url = "/")),
    paths(
        exports::create::create, exports::list, exports::stats, exports::show, exports::cancel,
        exports::download::download, exports::retry, events::stream, webhook::take,
        images::create::create, images::show, images::cancel, images::download::download,
        videos::create, videos::list, videos::show, videos::delete, trigger::trigger,
        induction::induct,
        analysis::order::create, analysis::result::show, analysis::result::part,
        analysis::result::frame, analysis::result::forget, analysis::search::search,
        analysis::push::take, analysis::stats::peek, analysis::stats::stats,
        files::send, health::show, metrics::show, show,
    ),
    components(schemas(ErrorBody, exports::status::ExportStatus)),
    modifiers(&Token, &Faults, &Parameters),
)]
struct Document;

/// An operation in a body: the engine's own type, which describes itself and knows
/// no HTTP.
pub struct Operation;

/// Its name in the document.
const OPERATION: &str = "Operation";

impl PartialSchema for Operation {
    fn schema() -> RefOr<Schema> {
        RefOr::Ref(Ref::from_schema_name(OPERATION))
    }
}

impl ToSchema for Operation {
    fn name() -> std::borrow::Cow<'static, str> {
        OPERATION.into()
    }
}

/// The bearer token that guards what is below `/api`, `/trigger`, `/eposh-induction` and this
/// document.
struct Token;

impl Modify for Token {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("API_TOKEN", scheme);
        for (_, call) in calls(document).filter(|(path, _)| is_guarded(path)) {
            let token = SecurityRequirement::new("API_TOKEN", [""; 0]);
            // The second one stands for a server without a token.
            call.security = Some(vec![token, SecurityRequirement::default()]);
            add(call, "401", "The token is missing or wrong");
        }
    }
}

/// What may be answered whatever is asked.
struct Faults;

impl Modify for Faults {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let may_fail = |path: &str| {
            path.starts_with("/api/") || matches!(path, "/trigger" | "/eposh-induction")
        };
        for (_, call) in calls(document).filter(|(path, _)| may_fail(path)) {
            add(
                call,
                "500",
                "Something is wrong on this side; the log says what",
            );
            add(call, "503", "The queue or the store is away");
        }
    }
}

/// A parameter that may be left out is no parameter that may be null, which only
/// JSON has.
struct Parameters;

impl Modify for Parameters {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for (_, call) in calls(document) {
            for parameter in call.parameters.iter_mut().flatten() {
                if let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema
                    && let SchemaType::Array(types) = &schema.schema_type
                    && let Some(only) = types.iter().find(|kind| **kind != Type::Null)
                {
                    schema.schema_type = SchemaType::Type(only.clone());
                }
            }
        }
    }
}

fn is_guarded(path: &str) -> bool {
    path.starts_with("/api/") || matches!(path, "/trigger" | "/eposh-induction" | "/openapi.json")
}

fn calls(document: &mut utoipa::openapi::OpenApi) -> impl Iterator<Item = (&str, &mut Call)> {
    document.paths.paths.iter_mut().flat_map(|(path, item)| {
        let calls = [&mut item.get, &mut item.post, &mut item.delete];
        let calls = calls.into_iter().flatten();
        calls.map(move |call| (path.as_str(), call))
    })
}

fn add(call: &mut Call, code: &str, description: &str) {
    let mut response = Response::new(description);
    let body = Content::new(Some(Ref::from_schema_name(ErrorBody::name())));
    response.content.insert("application/json".to_owned(), body);
    let all = &mut call.responses.responses;
    all.entry(code.to_owned()).or_insert(RefOr::T(response));
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

/// The two generators write the same dialect of JSON Schema (that of `OpenAPI` 3.1), and
/// both are let say all they know: neither is read into the other's types.
fn document() -> Value {
    let mut document = serde_json::to_value(Document::openapi()).unwrap_or_default();
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    generator.subschema_for::<flatbed_media::render::Operation>();
    let schemas = document.pointer_mut("/components/schemas");
    if let Some(Value::Object(schemas)) = schemas {
        schemas.extend(generator.take_definitions(true));
        // Made of two parts, of which neither knows the other's fields.
        for name in ["ImageAt", "ImageForm"] {
            if let Some(Value::Object(schema)) = schemas.get_mut(name) {
                schema.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
            }
        }
    }
    document
}

/// The route.
pub fn routes() -> Router {
    Router::new().route("/openapi.json", get(show))
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", operation_id = "getDocument", tag = "operation",
    responses((status = 200, body = Object, content_type = "application/json"))
)]
async fn show() -> Json<&'static Value> {
    Json(&DOCUMENT)
}
