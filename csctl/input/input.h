#pragma once

#include <cstddef>
#include <string>

#include "base/bytes.h"

namespace csctl {

/// Stands for standard input where a file is asked for.
inline constexpr const char* kStandardInput = "-";

/// "standard input", or the file's path: for errors and headings.
std::string name_of_input(const std::string& path);

/// Whether there is anything at a path. Throws SystemError when that can't be found out.
bool is_there(const std::string& path);

/// All bytes of a file or of standard input. Throws SystemError, or InvalidInput when there are more than `max_bytes`
/// or the file is not a regular one.
base::Bytes read_input(const std::string& path, std::size_t max_bytes);
std::string read_text_input(const std::string& path, std::size_t max_bytes);

}  // namespace csctl
