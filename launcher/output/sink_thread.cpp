#include "launcher/output/sink_thread.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/log.h"

namespace launcher {
namespace {

std::size_t cost_of(const Output& output) { return sizeof(Output) + output.bytes.size(); }

std::uint64_t lines_of(const Output& output) {
  return std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ranges::count(output.bytes, '\n')));
}

Output notice_of(std::uint64_t lines) {
  return {OutputStream::kStderr, "[cs-launcher: " + std::to_string(lines) + " lines of output were dropped]\n"};
}

}  // namespace

struct SinkThread::State {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Output> queue;
  std::size_t queued_bytes = 0;
  std::uint64_t untold = 0;  ///< lines that were dropped since the sink was told
  std::uint64_t dropped = 0;
  bool is_over = false;  ///< nothing more will come
  bool is_broken = false;
  std::function<void()> on_done;  ///< nothing once nobody waits any more

  void put(Output output) {
    queued_bytes += cost_of(output);
    queue.push_back(std::move(output));
  }

  void run(const std::string& name, const Deliver& deliver) {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return !queue.empty() || is_over; });
      if (queue.empty()) break;
      const Output output = std::move(queue.front());
      queue.pop_front();
      lock.unlock();
      try {
        deliver(output);
      } catch (const std::exception& error) {
        base::log::error("output of the workload is lost", {{"sink", name}, {"error", error.what()}});
        lock.lock();
        is_broken = true;
        queue.clear();
        break;
      }
      lock.lock();
      queued_bytes -= cost_of(output);
    }
    changed.wait(lock, [this] { return is_over; });
    if (on_done) on_done();
  }
};

SinkThread::SinkThread(asio::any_io_executor executor, std::string name, Deliver deliver)
    : state_(std::make_shared<State>()), done_(std::make_shared<base::Event>(executor)) {
  state_->on_done = [executor, done = done_] { asio::post(executor, [done] { done->set(); }); };
  std::thread([state = state_, name = std::move(name), deliver = std::move(deliver)] {
    state->run(name, deliver);
  }).detach();
}

SinkThread::~SinkThread() {
  const std::scoped_lock lock(state_->mutex);
  state_->is_over = true;
  state_->on_done = nullptr;
  state_->changed.notify_all();
}

void SinkThread::offer(Output output) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->is_broken || state_->is_over) return;
  if (state_->queued_bytes + cost_of(output) > kMaxQueuedOutputBytes) {
    state_->untold += lines_of(output);
    state_->dropped += lines_of(output);
    return;
  }
  if (state_->untold > 0) state_->put(notice_of(std::exchange(state_->untold, 0)));
  state_->put(std::move(output));
  state_->changed.notify_all();
}

base::Awaitable<bool> SinkThread::finish(base::Milliseconds bound) {
  {
    const std::scoped_lock lock(state_->mutex);
    if (state_->untold > 0 && !state_->is_broken) state_->put(notice_of(std::exchange(state_->untold, 0)));
    state_->is_over = true;
    state_->changed.notify_all();
  }
  co_await done_->wait_for(bound);
  const std::scoped_lock lock(state_->mutex);
  co_return done_->is_set() && !state_->is_broken;
}

std::uint64_t SinkThread::dropped() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->dropped;
}

}  // namespace launcher
