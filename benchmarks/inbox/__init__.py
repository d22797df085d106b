"""The inbox measured: claims and acknowledgements against bare SQL, orders applied, growth, a transaction held open."""
