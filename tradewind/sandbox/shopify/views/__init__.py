"""What the GraphQL API shows of a store's records: dictionaries by field name, values or functions of the arguments."""
