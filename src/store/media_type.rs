//! What an object's name says about its content, as HTTP's headers have it.

use super::key::escape;

/// The media type for the extension of `name`.
pub fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "mp4" | "m4v" => "video/mp4",
        "mov" | "qt" => "video/quicktime",
        "mkv" => "video/x-matroska",
        "webm" => "video/webm",
        "avi" => "video/x-msvideo",
        "ts" | "mts" | "m2ts" => "video/mp2t",
        "mpg" | "mpeg" | "ps" => "video/mpeg",
        "m4a" => "audio/mp4",
        "mp3" => "audio/mpeg",
        "wav" => "audio/wav",
        "flac" => "audio/flac",
        "ogg" | "opus" => "audio/ogg",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "avif" => "image/avif",
        "json" => "application/json",
        "vtt" => "text/vtt",
        "srt" => "application/x-subrip",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The `Content-Disposition` that has a browser save it as `file_name`: for those
/// that know RFC 6266 (4.3) the whole name, for the others what is ASCII in it.
pub fn attachment(file_name: &str) -> String {
    let ascii: String = file_name
        .chars()
        .map(|c| match c {
            '"' | '\\' | '%' => '_',
            c if c.is_ascii_graphic() || c == ' ' => c,
            _ => '_',
        })
        .collect();
    let mut whole = String::new();
    for byte in file_name.bytes() {
        escape(byte, false, &mut whole);
    }
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{whole}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_go_by_the_extension() {
        assert_eq!(media_type("a/Clip.MP4"), "video/mp4");
        assert_eq!(media_type("a.b/clip"), "application/octet-stream");
        assert_eq!(media_type("x.webp"), "image/webp");
    }

    #[test]
    fn no_name_breaks_the_header() {
        assert_eq!(
            attachment("Süd\"\r\n.mp4"),
            "attachment; filename=\"S_d___.mp4\"; filename*=UTF-8''S%C3%BCd%22%0D%0A.mp4"
        );
    }
}
