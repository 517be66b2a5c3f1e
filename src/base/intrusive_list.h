// base/intrusive_list.h: a doubly linked list of objects that carry their own links.
#pragma once

#include "base/check.h"

namespace spillway {

// Base class of what an IntrusiveList holds. One core. Leaves its list when destroyed, so that a
// waiting frame that goes away is never woken.
class ListLink {
 public:
  ListLink() = default;
  ListLink(const ListLink&) = delete;
  ListLink& operator=(const ListLink&) = delete;
  ~ListLink() { unlink(); }

  bool is_linked() const { return next_ != this; }
  void unlink() {
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = this;
  }

 private:
  template <class T>
  friend class IntrusiveList;
  ListLink* next_ = this;
  ListLink* previous_ = this;
};

// First in, first out, unless the caller says otherwise. Owns nothing; T derives from ListLink.
// Must be empty, or its members must outlive it, when destroyed: they are unlinked then.
template <class T>
class IntrusiveList {
 public:
  IntrusiveList() = default;
  IntrusiveList(const IntrusiveList&) = delete;
  IntrusiveList& operator=(const IntrusiveList&) = delete;
  ~IntrusiveList() {
    while (!empty()) head_.next_->unlink();
  }

  bool empty() const { return !head_.is_linked(); }
  void push_back(T& item) { insert(*head_.previous_, item); }
  void push_front(T& item) { insert(head_, item); }
  T& front() { return static_cast<T&>(*head_.next_); }
  T* pop_front() {
    if (empty()) return nullptr;
    T& item = front();
    item.ListLink::unlink();
    return &item;
  }
  // The item after `item`, or null at the end. Safe while the visitor unlinks earlier items.
  T* next(T& item) {
    ListLink* link = static_cast<ListLink&>(item).next_;
    return link == &head_ ? nullptr : static_cast<T*>(link);
  }
  T* first() { return empty() ? nullptr : &front(); }
  // Moves all items, in order, to the end of `other`.
  void move_all_to(IntrusiveList& other) {
    while (T* item = pop_front()) other.push_back(*item);
  }

 private:
  static void insert(ListLink& after, ListLink& item) {
    CHECK_SLOW(!item.is_linked());
    item.previous_ = &after;
    item.next_ = after.next_;
    after.next_->previous_ = &item;
    after.next_ = &item;
  }
  ListLink head_;
};

}  // namespace spillway
