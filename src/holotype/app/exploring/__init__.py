"""What the Explore page shows of a collection: values in, values out, no web."""
