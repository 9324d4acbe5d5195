#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace csctl {

/// Asks a service of this machine over its Unix socket: the body of its answer. `who` begins the text of errors, such
/// as "the launcher". Throws Error with what it says when it refuses, and net::HttpError when nobody answers.
std::string ask_local(const std::filesystem::path& socket, std::string_view who, std::string method,
                      const std::string& target, std::string body = {});

}  // namespace csctl
