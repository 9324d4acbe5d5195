#include "launcher/platform/file_metadata.h"

#include "base/file.h"

namespace launcher {

base::Awaitable<Attributes> FileMetadata::attributes() {
  co_return parse_attributes(base::read_text_file(path_, kMaxAttributesBytes));
}

base::Awaitable<std::optional<Location>> FileMetadata::location() { co_return std::nullopt; }

base::Awaitable<std::optional<std::string>> FileMetadata::instance_name() { co_return std::nullopt; }

base::Awaitable<std::optional<std::string>> FileMetadata::access_token() { co_return std::nullopt; }

base::Awaitable<std::optional<std::string>> FileMetadata::identity_token(std::string /*audience*/) {
  co_return std::nullopt;
}

}  // namespace launcher
