#pragma once

#include <string>

#include "base/bytes.h"

namespace csctl {

/// Puts `content` in a file's place, in one step; a link stays, and what it leads to changes. A new file may be read by
/// all, one that was there by whom it could. Throws SystemError.
void write_document(const std::string& path, base::ByteView content);

/// Where the signature of a document stands.
std::string signature_file_of(const std::string& document);

}  // namespace csctl
