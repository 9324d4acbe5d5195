#include "launcher/platform/file_platform.h"

#include "base/file.h"

namespace launcher {

base::Awaitable<Attributes> FilePlatform::attributes() {
  co_return parse_attributes(base::read_text_file(path_, kMaxAttributesBytes));
}

base::Awaitable<std::optional<Location>> FilePlatform::location() { co_return std::nullopt; }

base::Awaitable<std::optional<GceInstance>> FilePlatform::gce_instance() { co_return std::nullopt; }

base::Awaitable<std::optional<std::string>> FilePlatform::instance_name() { co_return std::nullopt; }

base::Awaitable<std::optional<std::string>> FilePlatform::access_token() { co_return std::nullopt; }

base::Awaitable<std::optional<std::string>> FilePlatform::identity_token(std::string /*audience*/) {
  co_return std::nullopt;
}

}  // namespace launcher
