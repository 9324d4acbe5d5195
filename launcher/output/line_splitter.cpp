#include "launcher/output/line_splitter.h"

#include <algorithm>
#include <utility>

namespace launcher {

void LineSplitter::take(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find('\n'), bytes.size());
    const std::size_t fits = std::min(end, kMaxOutputLineBytes - begun_.size());
    begun_.append(bytes.substr(0, fits));
    bytes.remove_prefix(fits);
    if (bytes.empty()) return;
    if (bytes.front() == '\n') bytes.remove_prefix(1);
    end_line();
  }
}

void LineSplitter::finish() {
  if (!begun_.empty()) end_line();
}

void LineSplitter::end_line() {
  if (begun_.ends_with('\r')) begun_.pop_back();
  on_line_(std::exchange(begun_, {}));
}

}  // namespace launcher
