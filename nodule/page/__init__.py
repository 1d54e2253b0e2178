"""How a report looks: one page that opens offline, its pictures, and the page as PDF."""
