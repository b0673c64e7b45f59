"""Write what Prometheus and Grafana read: python -m deploy.monitoring"""

from pathlib import Path

from deploy.monitoring import alerts, dashboard

HERE = Path(__file__).parent
WRITTEN = {HERE / "alerts.yml": alerts.text, HERE / "dashboards" / "eqtrade.json": dashboard.text}

if __name__ == "__main__":
    for file, text in WRITTEN.items():
        file.write_text(text())
