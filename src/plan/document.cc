// plan/document.cc: turns yaml-cpp's events into our tree, within its limits.
#include "plan/document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <optional>
#include <sstream>

namespace spillway::plan {
namespace {

// Owned by parse_document for the time of one parse. yaml-cpp cannot be stopped from within, so
// once a limit is passed further events are counted past.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, Budget& budget, std::vector<Problem>& problems)
      : file_(file), budget_(budget), problems_(problems) {}

  Node take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (skipped_depth_ > 0) return;
    if (!frames_.empty() && frames_.back().expects_key()) {
      // "{ a: }" has a null value; "{ : b }" and "? " have a null key.
      frames_.back().key.emplace();
      frames_.back().key_place = place(mark);
      frames_.back().skip_value = true;
      return report(place(mark), "a key is missing here");
    }
    leaf(mark, Node::Kind::null, "", anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (skipped_depth_ > 0) return;
    if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark);
    if (!frames_.empty() && frames_.back().expects_key()) return take_key(mark, value);
    leaf(mark, Node::Kind::scalar, value, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, tag, Node::Kind::list, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, tag, Node::Kind::map, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapEnd() override { end(); }

 private:
  struct Frame {
    Node node;
    YAML::anchor_t anchor = 0;
    bool is_key = false;  // A list or map where a name belongs.
    std::optional<std::string> key;
    Place key_place;
    bool skip_value = false;
    std::map<std::string, Place> seen;

    bool expects_key() const { return node.kind == Node::Kind::map && !key; }
  };

  Place place(const YAML::Mark& mark) const {
    if (mark.is_null()) return {file_, 0, 0};
    return {file_, static_cast<uint32_t>(mark.line + 1), static_cast<uint32_t>(mark.column + 1)};
  }
  std::string path() const;
  void report(Place at, std::string message) {
    problems_.push_back({std::move(at), path(), std::move(message)});
  }
  void refuse_tag(const YAML::Mark& mark) {
    report(place(mark), "type tags (!...) are not used here; remove it");
  }
  bool spend(size_t nodes, size_t text_bytes, const Place& at);
  void take_key(const YAML::Mark& mark, const std::string& key);
  void leaf(const YAML::Mark& mark, Node::Kind kind, const std::string& text,
            YAML::anchor_t anchor);
  void start(const YAML::Mark& mark, const std::string& tag, Node::Kind kind,
             YAML::anchor_t anchor);
  void end();
  void finish(Node node, YAML::anchor_t anchor);
  void attach(Node node);

  const std::string& file_;
  Budget& budget_;
  std::vector<Problem>& problems_;
  std::vector<Frame> frames_;
  std::map<YAML::anchor_t, Node> anchors_;
  size_t skipped_depth_ = 0;  // Levels below depth_max that are being passed over.
  bool is_over_ = false;      // The budget is spent.
  Node root_;
};

struct Weight {
  size_t nodes = 1;
  size_t text_bytes = 0;
};

// Depth is bounded by depth_max for what is built here, and by doublings of it through aliases,
// which `attach` refuses.
Weight weight_of(const Node& node) {
  Weight total{.nodes = 1, .text_bytes = node.text.size() + node.key.size()};
  for (const Node& child : node.children) {
    const Weight weight = weight_of(child);
    total.nodes += weight.nodes;
    total.text_bytes += weight.text_bytes;
  }
  return total;
}

size_t depth_of(const Node& node) {
  size_t deepest = 0;
  for (const Node& child : node.children) deepest = std::max(deepest, depth_of(child));
  return deepest + 1;
}

std::string TreeBuilder::path() const {
  std::string result;
  for (const Frame& frame : frames_) {
    if (frame.node.kind == Node::Kind::list) {
      result = item_path(result, frame.node.children.size());
    } else if (frame.key) {
      result = child_path(result, *frame.key);
    }
  }
  return result;
}

bool TreeBuilder::spend(size_t nodes, size_t text_bytes, const Place& at) {
  if (is_over_) return false;
  if (nodes > budget_.nodes || text_bytes > budget_.text_bytes) {
    is_over_ = true;
    report(at, fmt::format("the plan is too large: at most {} values and {} MiB of text, copies "
                           "by alias included",
                           limits::nodes_max, limits::text_bytes_max >> 20));
    return false;
  }
  budget_.nodes -= nodes;
  budget_.text_bytes -= text_bytes;
  return true;
}

void TreeBuilder::take_key(const YAML::Mark& mark, const std::string& key) {
  Frame& frame = frames_.back();
  frame.key = key;
  frame.key_place = place(mark);
  if (!spend(0, key.size(), frame.key_place)) return;
  if (key == "<<") {
    frame.skip_value = true;
    return report(frame.key_place, "merge keys are not part of YAML 1.2; write the fields out");
  }
  const auto [first, is_new] = frame.seen.emplace(key, frame.key_place);
  if (is_new) return;
  frame.skip_value = true;
  report(frame.key_place, fmt::format("is set twice; first at {}", to_string(first->second)));
}

void TreeBuilder::leaf(const YAML::Mark& mark, Node::Kind kind, const std::string& text,
                       YAML::anchor_t anchor) {
  Node node{.kind = kind, .place = place(mark)};
  if (spend(1, text.size(), node.place)) node.text = text;
  finish(std::move(node), anchor);
}

void TreeBuilder::start(const YAML::Mark& mark, const std::string& tag, Node::Kind kind,
                        YAML::anchor_t anchor) {
  if (skipped_depth_ > 0) {
    ++skipped_depth_;
    return;
  }
  if (tag != "?" && tag != "!" && !tag.empty()) refuse_tag(mark);
  if (frames_.size() >= limits::depth_max) {
    skipped_depth_ = 1;
    return report(place(mark), fmt::format("nested deeper than {} levels", limits::depth_max));
  }
  Frame frame{.node = {.kind = kind, .place = place(mark)}, .anchor = anchor};
  frame.is_key = !frames_.empty() && frames_.back().expects_key();
  if (frame.is_key) report(frame.node.place, "a key has to be a name, not a list or a map");
  spend(1, 0, frame.node.place);
  frames_.push_back(std::move(frame));
}

void TreeBuilder::end() {
  if (skipped_depth_ > 0) {
    if (--skipped_depth_ == 0) finish(Node{}, 0);
    return;
  }
  Frame frame = std::move(frames_.back());
  frames_.pop_back();
  if (frame.is_key) {
    frames_.back().key.emplace();
    frames_.back().skip_value = true;
    return;
  }
  finish(std::move(frame.node), frame.anchor);
}

void TreeBuilder::finish(Node node, YAML::anchor_t anchor) {
  if (anchor != 0) {
    const Weight weight = weight_of(node);
    if (spend(weight.nodes, weight.text_bytes, node.place)) anchors_[anchor] = node;
  }
  attach(std::move(node));
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
  if (skipped_depth_ > 0) return;
  const Place at = place(mark);
  if (!frames_.empty() && frames_.back().expects_key()) {
    report(at, "a key has to be a name, not an alias");
    frames_.back().key.emplace();
    frames_.back().skip_value = true;
    return;
  }
  Node node{.place = at};
  if (const auto found = anchors_.find(anchor); found == anchors_.end()) {
    if (!is_over_) report(at, "the alias stands within what it names");
  } else if (frames_.size() + depth_of(found->second) > limits::depth_max) {
    report(at, fmt::format("nested deeper than {} levels", limits::depth_max));
  } else {
    const Weight weight = weight_of(found->second);
    if (spend(weight.nodes, weight.text_bytes, at)) node = found->second;
  }
  attach(std::move(node));
}

void TreeBuilder::attach(Node node) {
  if (frames_.empty()) {
    root_ = std::move(node);
    return;
  }
  Frame& frame = frames_.back();
  if (frame.node.kind == Node::Kind::map) {
    if (!frame.key) {  // A list or map passed over in a key's place.
      frame.key.emplace();
      frame.skip_value = true;
      return;
    }
    node.key = std::move(*frame.key);
    node.key_place = frame.key_place;
    // A null stands nowhere: yaml-cpp names what comes after it.
    if (node.kind == Node::Kind::null) node.place = node.key_place;
    frame.key.reset();
    if (std::exchange(frame.skip_value, false)) return;
  }
  if (!is_over_) frame.node.children.push_back(std::move(node));
}

}  // namespace

const Node* Node::find(std::string_view name) const {
  for (const Node& child : children) {
    if (child.key == name) return &child;
  }
  return nullptr;
}

std::string described(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null: return "nothing";
    case Node::Kind::list: return "a list";
    case Node::Kind::map: return "a map";
    case Node::Kind::scalar: break;
  }
  return node.is_substituted ? "a substituted value (not shown)" : in_quotes(node.text);
}

Node parse_document(std::string_view text, const std::string& file, Budget& budget,
                    std::vector<Problem>& problems) {
  TreeBuilder builder(file, budget, problems);
  std::istringstream stream{std::string(text)};
  try {
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    Node root = builder.take_root();
    TreeBuilder rest(file, budget, problems);
    if (parser.HandleNextDocument(rest)) {
      problems.push_back({{file, 0, 0}, "", "holds several YAML documents; expected one"});
      return {};
    }
    return root;
  } catch (const YAML::Exception& error) {
    Place at{file, 0, 0};
    if (!error.mark.is_null()) {
      at.line = static_cast<uint32_t>(error.mark.line + 1);
      at.column = static_cast<uint32_t>(error.mark.column + 1);
    }
    // The usual reason: [http://[::]:80].
    const bool is_flow = error.msg.find("flow") != std::string::npos;
    problems.push_back(
        {std::move(at), "",
         fmt::format("is not YAML: {}{}", error.msg,
                     is_flow ? "; a value with [ ] { } or a comma in it needs quotes" : "")});
  } catch (const std::exception& error) {
    problems.push_back({{file, 0, 0}, "", fmt::format("is not YAML: {}", error.what())});
  }
  return {};
}

std::string child_path(std::string_view parent, std::string_view key) {
  std::string name = in_quotes(key);
  name = name.substr(1, name.size() - 2);
  return parent.empty() ? name : fmt::format("{}.{}", parent, name);
}

std::string item_path(std::string_view parent, size_t index) {
  return fmt::format("{}[{}]", parent, index);
}

}  // namespace spillway::plan
