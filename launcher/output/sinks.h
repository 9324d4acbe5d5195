#pragma once

#include <filesystem>

#include "base/file.h"
#include "launcher/output/line.h"

namespace launcher {

// Both may block, and throw SystemError.

/// A line as one of JSON, and as fields of its own: to systemd's journal where the log goes there, else to standard
/// output.
///
///   MESSAGE            {"message":"...","severity":"INFO"}
///   PRIORITY           6 of standard output, 3 of standard error (sd-daemon(3))
///   SYSLOG_IDENTIFIER  tee-container
///   TEE_STREAM         stdout, stderr
///   TEE_MESSAGE        the line as it was written
void write_to_journal(const Output& line);

/// A terminal or file that gets bytes as they come.
class Console {
 public:
  explicit Console(const std::filesystem::path& path);
  void write(const Output& output) const;

 private:
  base::FileDescriptor file_;
};

}  // namespace launcher
