#include "launcher/output/cloud_log.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "base/encoding.h"
#include "base/error.h"
#include "base/log.h"
#include "base/openssl.h"

namespace launcher {
namespace {

/// How long entries are gathered before they are written together: as long as on the public system.
constexpr base::Milliseconds kGather{1000};
constexpr base::Milliseconds kLastPause{250};  ///< in the place of kCloudLogPauses when it is closing
constexpr std::size_t kEntryBesides = 256;     ///< what an entry has beside its payload
constexpr std::size_t kInsertIdBytes = 8;
constexpr std::size_t kIdDigits = 20;

std::size_t size_of(const base::Json& payload) {
  return payload.dump(-1, ' ', false, base::Json::error_handler_t::replace).size() + kEntryBesides;
}

}  // namespace

struct CloudLog::State : std::enable_shared_from_this<CloudLog::State> {
  struct Waiting {
    LogEntry entry;
    std::size_t bytes;
  };

  State(const asio::any_io_executor& e, base::Clock c)
      : executor(e), clock(std::move(c)), something_new(e), closing(e) {}

  void add(Speaker speaker, std::string severity, base::Json payload) {
    const std::size_t bytes = size_of(payload);
    const std::size_t room = kMaxQueuedLogBytes - (speaker == Speaker::kWorkload ? kReservedLogBytes : 0);
    const std::scoped_lock lock(mutex);
    if (is_closed) return;
    if (bytes > kMaxLogBatchBytes || queued_bytes + bytes > room) {
      ++dropped;
      return;
    }
    LogEntry entry{
        .severity = std::move(severity), .time = clock.wall(), .payload = std::move(payload), .id = next_id()};
    queued_bytes += bytes;
    queue.push_back({std::move(entry), bytes});
    if (queue.size() > 1) return;
    asio::post(executor, [weak = weak_from_this()] {
      if (const auto alive = weak.lock()) alive->something_new.set();
    });
  }

  /// Entries of the same moment are read in the order of their ids, as text.
  std::string next_id() {
    std::string number = std::to_string(++added);
    number.insert(0, kIdDigits - number.size(), '0');
    return id_prefix + number;
  }

  std::vector<LogEntry> take_batch() {
    const std::scoped_lock lock(mutex);
    std::vector<LogEntry> batch;
    std::size_t bytes = 0;
    while (!queue.empty() && bytes + queue.front().bytes <= kMaxLogBatchBytes) {
      bytes += queue.front().bytes;
      batch.push_back(std::move(queue.front().entry));
      queue.pop_front();
    }
    queued_bytes -= bytes;
    return batch;
  }

  /// Until it is closing, and nothing is left.
  base::Awaitable<void> deliver() {
    for (;;) {
      std::vector<LogEntry> batch = take_batch();
      if (!batch.empty()) {
        co_await deliver(std::move(batch));
      } else if (closing.is_set()) {
        co_return;
      } else {
        something_new.clear();
        co_await wait_for_more();
      }
    }
  }

  base::Awaitable<void> wait_for_more() {
    {
      const std::scoped_lock lock(mutex);
      if (!queue.empty()) co_return;  // it came before the event was cleared
    }
    co_await something_new.wait();
    co_await closing.wait_for(kGather);
  }

  /// What may pass is tried until it has, or until finish() ends it.
  base::Awaitable<void> deliver(std::vector<LogEntry> batch) {
    in_flight = batch.size();
    for (int attempt = 1;; ++attempt) {
      std::optional<base::Milliseconds> pause;
      try {
        std::vector<LogEntry> entries = batch;
        co_await write(std::move(entries));
        in_flight = 0;
        has_warned = false;
        tell_of_losses();
        co_return;
      } catch (const base::Error& error) {
        warn_once(error);
        pause = kCloudLogPauses.pause_after(attempt, error);
      }
      if (!pause) {
        lost += std::exchange(in_flight, 0);
        co_return;
      }
      if (closing.is_set()) {
        co_await base::sleep_for(executor, std::min(*pause, kLastPause));
      } else {
        co_await closing.wait_for(*pause);
      }
    }
  }

  /// Nothing is written any more. Returns how much would have been.
  std::size_t close() {
    const std::scoped_lock lock(mutex);
    is_closed = true;
    const std::size_t left = std::exchange(in_flight, 0) + queue.size();
    queue.clear();
    return left;
  }

  // Both warnings go into the queue as well: what is said of a log that takes nothing must not fill it, so one is said
  // once, and the other when something was written.

  void warn_once(const base::Error& error) {
    if (!std::exchange(has_warned, true)) {
      base::log::warning("lines of the log do not reach the cloud", {{"error", error.what()}});
    }
  }

  void tell_of_losses() {
    std::uint64_t sum = std::exchange(lost, 0);
    {
      const std::scoped_lock lock(mutex);
      sum += std::exchange(dropped, 0);
    }
    // The API may have taken some entries of a batch that it refused.
    if (sum > 0) base::log::warning("lines of the log were lost for the cloud", {{"lines_at_most", sum}});
  }

  asio::any_io_executor executor;
  base::Clock clock;
  Write write;
  base::Event something_new;
  base::Event closing;
  bool has_warned = false;
  std::size_t in_flight = 0;
  std::uint64_t lost = 0;
  const std::string id_prefix = base::hex_encode(base::random_bytes(kInsertIdBytes)) + "-";

  std::mutex mutex;  // of what stands below
  std::deque<Waiting> queue;
  std::size_t queued_bytes = 0;
  std::uint64_t added = 0;
  std::uint64_t dropped = 0;
  bool is_closed = false;
};

CloudLog::CloudLog(asio::any_io_executor executor, base::Clock clock)
    : state_(std::make_shared<State>(executor, std::move(clock))) {}

CloudLog::~CloudLog() = default;

void CloudLog::add(Speaker speaker, std::string severity, base::Json payload) {
  state_->add(speaker, std::move(severity), std::move(payload));
}

void CloudLog::start(Write write) {
  state_->write = std::move(write);
  delivery_.emplace(state_->executor, state_->deliver());
}

base::Awaitable<void> CloudLog::finish(base::Milliseconds bound) {
  if (delivery_) {
    state_->closing.set();
    state_->something_new.set();
    co_await delivery_->wait_for(bound);
    delivery_->cancel();
    co_await delivery_->wait_for(kCancellation);
  }
  state_->lost += state_->close();
  state_->tell_of_losses();
}

void CloudLog::give_up() { state_->close(); }

}  // namespace launcher
