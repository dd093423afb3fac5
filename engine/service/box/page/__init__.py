"""What every page is made of: templates rendered, problems as pages, marks in texts, bars of scores, names."""
