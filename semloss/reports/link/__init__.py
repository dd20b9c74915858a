"""The ledger as text, table, workbook and chart."""
