#pragma once

#include <string_view>

namespace verifier {

/// What a claim proves to whoever has verified the token, in a sentence without a full stop; empty for a claim that
/// this project does not know. `path` is its place, such as "submods.container.args[0]".
std::string_view meaning_of_claim(std::string_view path);

/// From where the service has it; empty for a claim that this project does not know.
std::string_view source_of_claim(std::string_view path);

}  // namespace verifier
