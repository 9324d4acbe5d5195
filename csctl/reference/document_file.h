#pragma once

#include <string>

#include "base/bytes.h"

namespace csctl {

/// Puts `content` in a file's place, in one step; a link stays, and the file that it leads to changes. That keeps its
/// owner and mode; a new one may be read by all, as far as the umask lets it. Throws InvalidInput(`path`) for what is
/// no regular file, and SystemError.
void write_document(const std::string& path, base::ByteView content);

/// Whether there is anything at a path. Throws SystemError when that can't be found out.
bool is_there(const std::string& path);

/// Throws InvalidInput(`path`) when something is there, and it is no regular file.
void expect_document(const std::string& path);

/// Where the signature of a document stands.
std::string signature_file_of(const std::string& document);

}  // namespace csctl
