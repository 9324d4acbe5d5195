#pragma once

#include <string>

#include "base/bytes.h"

namespace csctl {

/// Puts `content` in the place of a file that a person names, in one step, in a folder that others may write to, too. A
/// link stays, and the file that it leads to changes; that keeps its owner and mode. A new one may be read by all, as
/// far as the umask lets it. Throws InvalidInput(`path`) for what is no regular file, and SystemError.
void write_output_file(const std::string& path, base::ByteView content);

/// Throws InvalidInput(`path`) when something is there, and it is no regular file.
void expect_replaceable(const std::string& path);

}  // namespace csctl
