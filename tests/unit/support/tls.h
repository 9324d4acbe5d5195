#pragma once

#include <filesystem>

namespace test {

/// Writes `directory`/ca.pem, server.pem and server-key.pem: a new authority and a server certificate of its for
/// 127.0.0.1.
void make_tls_files(const std::filesystem::path& directory);

}  // namespace test
