#include "base/directory_watch.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <sys/inotify.h>

#include "base/error.h"

namespace base {
namespace {

/// Room for many events; one has a name of 255 bytes at most (inotify(7)).
constexpr std::size_t kEventBytes = std::size_t{16} << 10U;

int open_watch(const std::filesystem::path& directory) {
  const int watch = ::inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (watch < 0) throw SystemError("making an inotify instance", errno);
  if (::inotify_add_watch(watch, directory.c_str(), IN_MOVED_TO | IN_ONLYDIR) < 0) {
    const int error = errno;
    ::close(watch);
    throw SystemError("watching " + directory.string(), error);
  }
  return watch;
}

/// Whether one of the events is of that name, or tells that some were lost.
bool speaks_of(std::string_view events, std::string_view name) {
  while (events.size() >= sizeof(inotify_event)) {
    inotify_event event{};
    std::memcpy(&event, events.data(), sizeof(event));
    const std::string_view text = events.substr(sizeof(event), event.len);
    if ((event.mask & IN_Q_OVERFLOW) != 0 || text.substr(0, text.find('\0')) == name) return true;
    events.remove_prefix(std::min(events.size(), sizeof(event) + event.len));
  }
  return false;
}

}  // namespace

struct DirectoryWatch::State {
  asio::posix::stream_descriptor descriptor;
  std::string name;
  std::array<char, kEventBytes> events{};
};

DirectoryWatch::DirectoryWatch(const asio::any_io_executor& executor, const std::filesystem::path& directory,
                               std::string name)
    : state_(new State{asio::posix::stream_descriptor(executor, open_watch(directory)), std::move(name)}) {}

DirectoryWatch::~DirectoryWatch() = default;

Awaitable<void> DirectoryWatch::replaced() {
  for (;;) {
    const std::size_t size =
        co_await state_->descriptor.async_read_some(asio::buffer(state_->events), asio::use_awaitable);
    if (speaks_of({state_->events.data(), size}, state_->name)) co_return;
  }
}

}  // namespace base
