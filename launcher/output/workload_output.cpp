#include "launcher/output/workload_output.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"
#include "base/timer.h"
#include "launcher/output/line_splitter.h"
#include "launcher/output/sink_thread.h"
#include "launcher/output/sinks.h"

namespace launcher {
namespace {

constexpr mode_t kFolderMode = 0755;  ///< the pipes have a mode of their own, and others have sockets there
constexpr mode_t kFifoMode = 0600;
constexpr std::size_t kReadBytes = std::size_t{64} << 10U;

/// The reading end of a FIFO, and one to write, without which it would be at its end before the runtime has opened it.
struct Fifo {
  Fifo(const asio::any_io_executor& executor, OutputStream s, std::filesystem::path p)
      : stream(s), path(std::move(p)), reader(executor) {
    ::unlink(path.c_str());  // of a launcher that was killed
    if (::mkfifo(path.c_str(), kFifoMode) != 0) throw base::SystemError("making " + path.string(), errno);
    base::FileDescriptor read_end(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    writer = base::FileDescriptor(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (read_end.get() < 0 || writer.get() < 0) throw base::SystemError("opening " + path.string(), errno);
    reader.assign(read_end.release());
  }
  Fifo(const Fifo&) = delete;
  Fifo& operator=(const Fifo&) = delete;
  ~Fifo() { close(); }

  /// Ends the reading, and takes the name away: another one may stand there later.
  void close() {
    boost::system::error_code ignored;
    reader.close(ignored);
    if (!path.empty()) ::unlink(std::exchange(path, {}).c_str());
  }

  OutputStream stream;
  std::filesystem::path path;
  asio::posix::stream_descriptor reader;
  base::FileDescriptor writer;
};

}  // namespace

struct WorkloadOutput::State {
  State(const asio::any_io_executor& executor, const std::filesystem::path& folder)
      : fifos{Fifo(executor, OutputStream::kStdout, folder / "stdout"),
              Fifo(executor, OutputStream::kStderr, folder / "stderr")},
        all_read(executor) {}

  /// From one FIFO to the sinks, until it is at its end.
  static base::Awaitable<void> pump(std::shared_ptr<State> state, Fifo& fifo) {
    LineSplitter lines([&](std::string line) {
      Output output{fifo.stream, std::move(line)};
      if (state->copy) state->copy(output);
      state->journal->offer(std::move(output));
    });
    std::vector<char> buffer(kReadBytes);
    for (;;) {
      boost::system::error_code code;
      const std::size_t got =
          co_await fifo.reader.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, code));
      if (code) break;
      const std::string_view bytes(buffer.data(), got);
      if (state->console) state->console->offer({fifo.stream, std::string(bytes)});
      if (state->journal) lines.take(bytes);
    }
    if (state->journal) lines.finish();
    if (++state->ended == state->fifos.size()) state->all_read.set();
  }

  std::array<Fifo, 2> fifos;
  std::size_t ended = 0;
  base::Event all_read;
  std::unique_ptr<SinkThread> journal;
  std::unique_ptr<SinkThread> console;
  std::function<void(const Output&)> copy;
};

WorkloadOutput::WorkloadOutput(const asio::any_io_executor& executor, LogRedirect redirect,
                               const OutputOptions& options) {
  if (redirect == LogRedirect::kNowhere) return;
  base::open_private_directory(options.folder, kFolderMode);
  state_ = std::make_shared<State>(executor, options.folder);
  state_->copy = options.copy;
  if (goes_to_journal(redirect)) state_->journal = std::make_unique<SinkThread>(executor, "journal", write_to_journal);
  if (goes_to_console(redirect)) {
    const auto console = std::make_shared<const Console>(options.console);
    state_->console =
        std::make_unique<SinkThread>(executor, "console", [console](const Output& output) { console->write(output); });
  }
  for (Fifo& fifo : state_->fifos) asio::co_spawn(executor, State::pump(state_, fifo), asio::detached);
}

WorkloadOutput::~WorkloadOutput() { close(); }

TaskOutput WorkloadOutput::paths() const {
  if (!state_) return {};
  return {.stdout_path = state_->fifos[0].path.string(), .stderr_path = state_->fifos[1].path.string()};
}

void WorkloadOutput::are_open() {
  if (!state_) return;
  for (Fifo& fifo : state_->fifos) fifo.writer = base::FileDescriptor();
}

base::Awaitable<bool> WorkloadOutput::finish() {
  if (!state_) co_return true;
  const std::shared_ptr<State> state = state_;
  are_open();  // should it have come to nothing before
  co_await state->all_read.wait_for(kDrainBound);
  bool took_all = state->all_read.is_set();
  if (!took_all) base::log::warning("the workload's output does not end, the rest of it is lost");
  const auto executor = co_await asio::this_coro::executor;
  const base::TimeService& time = base::TimeService::of(executor);
  const base::TimePoint deadline = time.now() + kDrainBound;
  for (const auto* sink : {&state->journal, &state->console}) {
    if (!*sink) continue;
    const auto left = std::chrono::ceil<base::Milliseconds>(deadline - time.now());
    const bool has_all = co_await (*sink)->finish(std::max(left, base::Milliseconds{0}));
    took_all = took_all && has_all;
    if (!has_all) base::log::warning("output of the workload was not taken in time, the rest of it is lost");
    if ((*sink)->dropped() > 0)
      base::log::warning("output of the workload was dropped", {{"lines", (*sink)->dropped()}});
  }
  co_return took_all;
}

void WorkloadOutput::close() {
  if (!state_) return;
  for (Fifo& fifo : state_->fifos) fifo.close();
}

}  // namespace launcher
