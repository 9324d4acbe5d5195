#include "launcher/output/sinks.h"

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <systemd/sd-journal.h>

#include "base/error.h"
#include "base/journal_stream.h"

namespace launcher {
namespace {

void write_all(int file, std::string_view bytes, std::string_view name) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw base::SystemError("writing to " + std::string(name), errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace

void write_to_journal(const Output& line) {
  const std::string json = json_line(line);
  if (!base::log_is_journal()) return write_all(STDOUT_FILENO, json + "\n", "standard output");
  const std::array<std::string, 5> fields = {
      "MESSAGE=" + json, "PRIORITY=" + std::string(line.stream == OutputStream::kStdout ? "6" : "3"),
      "SYSLOG_IDENTIFIER=tee-container", "TEE_STREAM=" + std::string(name_of(line.stream)),
      "TEE_MESSAGE=" + line.bytes};
  std::array<iovec, fields.size()> vectors{};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    vectors[i] = {const_cast<char*>(fields[i].data()), fields[i].size()};  // NOLINT: iovec serves reading as well
  }
  const int result = ::sd_journal_sendv(vectors.data(), static_cast<int>(vectors.size()));
  if (result < 0) throw base::SystemError("writing to the journal", -result);
}

/// Opening waits for nothing, neither for a line's carrier nor for a FIFO's reader; only writing does.
Console::Console(const std::filesystem::path& path)
    : file_(::open(path.c_str(), O_WRONLY | O_APPEND | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) {
  if (file_.get() < 0 || ::fcntl(file_.get(), F_SETFL, O_APPEND) != 0)
    throw base::SystemError("opening " + path.string(), errno);
}

void Console::write(const Output& output) const { write_all(file_.get(), output.bytes, "the console"); }

}  // namespace launcher
