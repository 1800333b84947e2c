//! A diagnosis in plain words: English and Dutch, text and JSON.
